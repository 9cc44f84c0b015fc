package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// compiled is bare.c at work.
type compiled struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// compile builds and starts bare.c, or says why it is left out and returns nil: it is a cross-check, not needed.
func (b *bench) compile(ctx context.Context, j *job, x *bare) *compiled {
	c, err := b.startC(ctx, j, x)
	if err != nil {
		b.progress("  the loop in C is left out: %v", err)
		return nil
	}
	return c
}

func (b *bench) startC(ctx context.Context, j *job, x *bare) (*compiled, error) {
	exe := b.file("bare")
	cc := exec.CommandContext(ctx, "gcc", "-O2", "-o", exe, b.file("c", "bare.c"), "-ldl", "-lpthread")
	if out, err := cc.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gcc: %w: %s", err, out)
	}
	args := []string{b.lib.Core, b.lib.Framework, b.file("models", j.name), strconv.Itoa(x.rows()), strconv.Itoa(x.pools.inter),
		strconv.Itoa(x.pools.intra)}
	for i, in := range x.session.Inputs {
		file := b.file(fmt.Sprintf("bare.input%d", i))
		body := []byte(strings.Join(x.texts, "\n") + "\n")
		if j.text {
			file += ".txt"
		} else {
			var err error
			if body, err = binary.Append(nil, binary.NativeEndian, x.nums[i]); err != nil {
				return nil, err
			}
		}
		if err := os.WriteFile(file, body, 0o644); err != nil {
			return nil, err
		}
		args = append(args, in.Tensor+"="+file)
	}
	c := &compiled{cmd: exec.Command(exe, append(args, x.session.Outputs[0].Tensor)...)}
	log, err := os.Create(b.file("bare.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c.cmd.Stderr = log
	c.cmd.Env = append(os.Environ(), "TF_CPP_MIN_LOG_LEVEL=3")
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	return c, c.cmd.Start()
}

// loop runs all rows once.
func (c *compiled) loop(batch, threads int) (lap, error) {
	if _, err := fmt.Fprintln(c.in, batch, threads); err != nil {
		return lap{}, fmt.Errorf("the loop in C: %w (see bare.log)", err)
	}
	line, err := c.out.ReadString('\n')
	if err != nil {
		return lap{}, fmt.Errorf("the loop in C: %w (see bare.log)", err)
	}
	var wall, cpu float64
	_, err = fmt.Sscan(line, &wall, &cpu)
	return lap{time.Duration(wall * 1e9), time.Duration(cpu * 1e9)}, err
}

func (c *compiled) close() {
	_ = c.in.Close()
	_ = c.cmd.Wait()
}
