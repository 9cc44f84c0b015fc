package image

import (
	"encoding/binary"
	"image"
	"slices"
)

// baseline reads what most JPEG files are: sequential, 8 bits, grey or Y'CbCr with common sampling, in one scan. It takes
// about half the time of image/jpeg, and its inverse cosine transform is libjpeg's accurate one, bit for bit. ok is false for
// anything else, what is broken included: image/jpeg then reads the file, or says what is wrong with it.
func baseline(b []byte) (m image.Image, ok bool) {
	d := baselineDecoder{in: b, pos: 2}
	if len(b) < 2 || b[0] != 0xff || b[1] != 0xd8 || !d.header() {
		return nil, false
	}
	d.allocate()
	if !d.scan() {
		return nil, false
	}
	if d.n == 1 {
		p := d.planes[0]
		return &image.Gray{Pix: p.pix, Stride: p.stride, Rect: image.Rect(0, 0, d.width, d.height)}, true
	}
	return &image.YCbCr{
		Y: d.planes[0].pix, Cb: d.planes[1].pix, Cr: d.planes[2].pix, YStride: d.planes[0].stride, CStride: d.planes[1].stride,
		SubsampleRatio: d.ratio, Rect: image.Rect(0, 0, d.width, d.height),
	}, true
}

type baselineDecoder struct {
	in            []byte
	pos           int
	width, height int
	n             int // components
	planes        [3]plane
	ratio         image.YCbCrSubsampleRatio
	quant         [4]*[64]int32 // in zigzag order, as all of the file
	dc, ac        [2]*codes
	restart       int // MCUs between restart markers; 0 for none

	bits uint64 // the next ones are the highest
	have int    // how many; negative when more were taken than the scan has
}

// plane is a component.
type plane struct {
	id     byte
	h, v   int // samples to an MCU, over 8
	quant  byte
	dc, ac byte
	last   int32 // DC coefficient
	pix    []byte
	stride int
}

// header reads the segments up to the scan.
func (d *baselineDecoder) header() bool {
	rgb := false
	for {
		if d.pos+4 > len(d.in) || d.in[d.pos] != 0xff {
			return false
		}
		marker := d.in[d.pos+1]
		size := int(binary.BigEndian.Uint16(d.in[d.pos+2:]))
		if size < 2 || d.pos+2+size > len(d.in) {
			return false
		}
		s := d.in[d.pos+4 : d.pos+2+size]
		d.pos += 2 + size
		ok := true
		switch marker {
		case 0xc0:
			ok = d.frame(s)
		case 0xc4:
			ok = d.huffman(s)
		case 0xdb:
			ok = d.quantization(s)
		case 0xdd:
			if ok = len(s) == 2; ok {
				d.restart = int(binary.BigEndian.Uint16(s))
			}
		case 0xda:
			rgb = rgb || d.planes[0].id == 'R' && d.planes[1].id == 'G' && d.planes[2].id == 'B'
			return d.n > 0 && (d.n == 1 || !rgb) && d.scanHeader(s)
		case 0xee:
			rgb = rgb || len(s) >= 12 && string(s[:5]) == "Adobe" && s[11] == 0
		default:
			ok = marker >= 0xe0 && marker <= 0xef || marker == 0xfe
		}
		if !ok {
			return false
		}
	}
}

func (d *baselineDecoder) frame(s []byte) bool {
	if d.n > 0 || len(s) < 6 || s[0] != 8 || len(s) != 6+3*int(s[5]) || s[5] != 1 && s[5] != 3 {
		return false
	}
	d.height, d.width = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	if d.height < 1 || d.width < 1 {
		return false
	}
	d.n = int(s[5])
	for i := range d.n {
		c := s[6+3*i:]
		d.planes[i] = plane{id: c[0], h: int(c[1] >> 4), v: int(c[1] & 15), quant: c[2]}
		if c[2] > 3 || i > 0 && (c[1] != 0x11 || c[0] == d.planes[0].id || i == 2 && c[0] == d.planes[1].id) {
			return false
		}
	}
	y := &d.planes[0]
	if d.n == 1 {
		ok := y.h >= 1 && y.h <= 2 && y.v >= 1 && y.v <= 2
		y.h, y.v = 1, 1 // whatever the file says: a scan of one component has a block to an MCU
		return ok
	}
	switch [2]int{y.h, y.v} {
	case [2]int{1, 1}:
		d.ratio = image.YCbCrSubsampleRatio444
	case [2]int{2, 1}:
		d.ratio = image.YCbCrSubsampleRatio422
	case [2]int{2, 2}:
		d.ratio = image.YCbCrSubsampleRatio420
	case [2]int{1, 2}:
		d.ratio = image.YCbCrSubsampleRatio440
	default:
		return false
	}
	return true
}

func (d *baselineDecoder) quantization(s []byte) bool {
	for ; len(s) >= 65; s = s[65:] {
		if s[0] > 3 {
			return false
		}
		q := new([64]int32)
		for i, v := range s[1:65] {
			q[i] = int32(v)
		}
		d.quant[s[0]] = q
	}
	return len(s) == 0
}

func (d *baselineDecoder) huffman(s []byte) bool {
	for len(s) >= 17 {
		class, slot := s[0]>>4, s[0]&15
		n := 0
		for _, c := range s[1:17] {
			n += int(c)
		}
		if class > 1 || slot > 1 || n == 0 || n > 256 || len(s) < 17+n {
			return false
		}
		c := newCodes([16]byte(s[1:17]), s[17:17+n], class == 1)
		if c == nil {
			return false
		}
		if class == 0 {
			d.dc[slot] = c
		} else {
			d.ac[slot] = c
		}
		s = s[17+n:]
	}
	return len(s) == 0
}

func (d *baselineDecoder) scanHeader(s []byte) bool {
	if len(s) != 4+2*d.n || int(s[0]) != d.n {
		return false
	}
	for i := range d.n {
		p := &d.planes[i]
		p.dc, p.ac = s[2+2*i]>>4, s[2+2*i]&15
		if s[1+2*i] != p.id || p.dc > 1 || p.ac > 1 || d.dc[p.dc] == nil || d.ac[p.ac] == nil || d.quant[p.quant] == nil {
			return false
		}
	}
	return slices.Equal(s[1+2*d.n:], []byte{0, 63, 0})
}

// mcus is how many MCUs the image has in each direction.
func (d *baselineDecoder) mcus() (x, y int) {
	w, h := 8*d.planes[0].h, 8*d.planes[0].v
	return (d.width + w - 1) / w, (d.height + h - 1) / h
}

func (d *baselineDecoder) allocate() {
	mx, my := d.mcus()
	for i := range d.n {
		p := &d.planes[i]
		p.stride = 8 * p.h * mx
		p.pix = make([]byte, p.stride*8*p.v*my)
	}
}

// scan reads all blocks and the end of the image.
func (d *baselineDecoder) scan() bool {
	mx, my := d.mcus()
	var b [64]int32
	left, next := d.restart, byte(0xd0)
	for y := range my {
		for x := range mx {
			if d.restart > 0 {
				if left == 0 {
					if !d.marker(next) {
						return false
					}
					left, next = d.restart, 0xd0|(next+1)&7
					for i := range d.planes {
						d.planes[i].last = 0
					}
				}
				left--
			}
			for i := range d.n {
				p := &d.planes[i]
				dc, ac, quant := d.dc[p.dc], d.ac[p.ac], d.quant[p.quant]
				for v := range p.v {
					for h := range p.h {
						last, ok := d.block(&b, p, dc, ac, quant)
						if !ok {
							return false
						}
						out := p.pix[8*((y*p.v+v)*p.stride+x*p.h+h):]
						if last == 0 {
							flat(out, p.stride, b[0])
							b[0] = 0
							continue
						}
						inverse(out, p.stride, &b)
						clear(b[:])
					}
				}
			}
		}
	}
	return d.marker(0xd9)
}

// marker reads a marker, before which there is at most the rest of a byte.
func (d *baselineDecoder) marker(m byte) bool {
	d.fill()
	if d.have > 7 || d.pos+2 > len(d.in) || d.in[d.pos] != 0xff || d.in[d.pos+1] != m {
		return false
	}
	d.pos += 2
	d.bits, d.have = 0, 0
	return true
}

// fill reads bits up to 57 or more, or to the next marker.
func (d *baselineDecoder) fill() {
	if d.have < 0 || d.have > 56 {
		return
	}
	if d.pos+8 <= len(d.in) {
		w := binary.BigEndian.Uint64(d.in[d.pos:])
		if (^w-0x0101010101010101)&w&0x8080808080808080 == 0 { // none is 0xff
			n := (64 - d.have) >> 3
			d.bits |= w >> (uint(64-8*n) & 63) << (uint(64-8*n-d.have) & 63)
			d.pos += n
			d.have += 8 * n
			return
		}
	}
	for d.have <= 56 && d.pos < len(d.in) {
		c := d.in[d.pos]
		if c == 0xff {
			if d.pos+1 >= len(d.in) || d.in[d.pos+1] != 0 {
				return
			}
			d.pos++
		}
		d.pos++
		d.bits |= uint64(c) << (56 - uint(d.have))
		d.have += 8
	}
}

// lookBits is how many bits are looked up at once. A code and the bits that follow it are mostly no longer.
const lookBits = 10

// codes are a Huffman table.
type codes struct {
	// look holds for the next bits, 0 where the code is longer than they are: how many to take in the lowest 5 bits, the run
	// of zeros in the next 4, the size of the number that follows in the next 4, and in the upper half that number, where
	// it was among the bits. size is 0 then.
	look [1 << lookBits]int32
	ends [17]uint32 // of each length, the first code that is longer, in 16 bits
	from [17]int    // of each length, the place of its codes in vals, less their first code
	vals []byte
}

// newCodes is nil for codes that are none.
func newCodes(counts [16]byte, vals []byte, ac bool) *codes {
	c := &codes{vals: slices.Clone(vals)}
	code, k := 0, 0
	for n := 1; n <= 16; n++ {
		c.from[n] = k - code
		for range counts[n-1] {
			if code >= 1<<n {
				return nil
			}
			e := entry(vals[k], n, ac)
			if e < 0 {
				return nil
			}
			if n <= lookBits {
				first := code << (lookBits - n)
				for i := range 1 << (lookBits - n) {
					c.look[first+i] = withNumber(e, n, i)
				}
			}
			code, k = code+1, k+1
		}
		c.ends[n] = uint32(code) << (16 - n)
		code <<= 1
	}
	return c
}

// entry is the form of look for a code of n bits; -1 for a value that a baseline file does not have.
func entry(val byte, n int, ac bool) int32 {
	run, size := int32(val>>4), int32(val&15)
	if ac && (size > 10 || size == 0 && run != 0 && run != 15) || !ac && val > 11 {
		return -1
	}
	return int32(n) | run<<5 | size<<9
}

// withNumber adds the number to an entry, if it is whole in the lookBits-n bits behind the code.
func withNumber(e int32, n, behind int) int32 {
	size := int(e >> 9 & 15)
	if size == 0 || n+size > lookBits {
		return e
	}
	v := extend(int32(behind>>(lookBits-n-size)), size)
	return v<<16 | e&(15<<5) | int32(n+size)
}

// extend is the number that size bits stand for.
func extend(v int32, size int) int32 {
	if v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v
}

// long finds the code of more than lookBits bits that is next; 0 for none.
func (c *codes) long(next uint64, ac bool) int32 {
	code := uint32(next >> 48)
	for n := lookBits + 1; n <= 16; n++ {
		if code < c.ends[n] {
			return entry(c.vals[c.from[n]+int(code>>(16-n))], n, ac)
		}
	}
	return 0
}

// block reads the coefficients of a block into b, which is zero, and gives the place of the last one, in zigzag order.
func (d *baselineDecoder) block(b *[64]int32, p *plane, dc, ac *codes, quant *[64]int32) (last int, ok bool) {
	d.fill()
	have, next := d.have, d.bits
	e := dc.look[next>>(64-lookBits)]
	if e == 0 {
		if e = dc.long(next, false); e == 0 {
			return 0, false
		}
	}
	next, have = next<<(e&31), have-int(e&31)
	v := e >> 16
	if size := int(e >> 9 & 15); size > 0 {
		v = extend(int32(next>>(64-size)), size)
		next, have = next<<size, have-size
	}
	p.last += v
	b[0] = p.last * quant[0]
	for k := 1; k < 64; k++ {
		if have < 32 { // a code and a number have up to 26
			d.have, d.bits = have, next
			d.fill()
			have, next = d.have, d.bits
		}
		e := ac.look[next>>(64-lookBits)]
		if e == 0 {
			if e = ac.long(next, true); e == 0 {
				return 0, false
			}
		}
		next, have = next<<(e&31), have-int(e&31)
		k += int(e >> 5 & 15)
		v := e >> 16
		if v == 0 {
			size := int(e >> 9 & 15)
			if size == 0 {
				if e>>5&15 == 0 {
					break // the rest is zero
				}
				continue // sixteen zeros
			}
			v = extend(int32(next>>(uint(64-size)&63)), size)
			next, have = next<<(uint(size)&63), have-size
		}
		if k > 63 {
			return 0, false
		}
		b[natural[k]&63] = v * quant[k]
		last = k
	}
	d.have, d.bits = have, next
	return last, have >= 0
}

// natural is the place of a coefficient in its block, from that in zigzag order.
var natural = [64]byte{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
