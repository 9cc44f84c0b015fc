package image

import "image"

// ycc turns a JPEG's luma and chroma into RGB as libjpeg does: subsampled chroma goes through its triangle filter
// (jdsample.c, "fancy upsampling"), then through its fixed-point tables (jdcolor.c). image.YCbCr.At repeats the nearest
// sample instead, which is off by up to a hundred at edges between colours.
func ycc(dst []byte, s *image.YCbCr) {
	w, h := s.Rect.Dx(), s.Rect.Dy()
	cw, ch, fx, fy := w, h, 1, 1
	switch s.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		fx = 2
	case image.YCbCrSubsampleRatio420:
		fx, fy = 2, 2
	case image.YCbCrSubsampleRatio440:
		fy = 2
	case image.YCbCrSubsampleRatio411:
		fx = 4
	case image.YCbCrSubsampleRatio410:
		fx, fy = 4, 2
	}
	cw, ch = (w+fx-1)/fx, (h+fy-1)/fy
	cb, cr := make([]byte, cw*fx), make([]byte, cw*fx)
	var sum []int
	if fx == 2 && fy == 2 {
		sum = make([]int, cw)
	}
	for y := range h {
		luma := s.Y[y*s.YStride:][:w]
		for _, c := range [2]struct{ out, in []byte }{{cb, s.Cb}, {cr, s.Cr}} {
			row := y / fy
			cur := c.in[row*s.CStride:][:cw]
			near := cur
			if fy == 2 { // the row on the other side of this one; the outermost rows stand in for what is beyond them
				near = c.in[min(max(row-1+2*(y%2), 0), ch-1)*s.CStride:][:cw]
			}
			switch {
			case fx == 2 && fy == 1 && cw > 2:
				wide(c.out, cur)
			case fx == 2 && fy == 2 && cw > 2:
				for i := range sum {
					sum[i] = 3*int(cur[i]) + int(near[i])
				}
				wideSums(c.out, sum)
			case fx == 1 && fy == 2:
				for i := range cur {
					c.out[i] = byte((3*int(cur[i]) + int(near[i]) + 1 + y%2) >> 2)
				}
			default:
				for i := range c.out {
					c.out[i] = cur[i/fx]
				}
			}
		}
		d := dst[y*w*3:][:w*3]
		for x, l := range luma {
			u, v, base := int32(cb[x])-128, int32(cr[x])-128, int32(l)
			d[3*x] = clamp(base + (91881*v+half)>>16)
			d[3*x+1] = clamp(base + (-22554*u-46802*v+half)>>16)
			d[3*x+2] = clamp(base + (116130*u+half)>>16)
		}
	}
}

const half = 1 << 15

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }

// wide doubles a row of samples: each output is three parts of its own sample and one of the neighbour.
func wide(out, in []byte) {
	last := len(in) - 1
	for i, v := range in {
		c := 3 * int(v)
		out[2*i] = byte((c + int(in[max(i-1, 0)]) + 1) >> 2)
		out[2*i+1] = byte((c + int(in[min(i+1, last)]) + 2) >> 2)
	}
	out[0], out[2*last+1] = in[0], in[last]
}

// wideSums is wide for sums of two rows, that are four times too large.
func wideSums(out []byte, sum []int) {
	last := len(sum) - 1
	for i, c := range sum {
		out[2*i] = byte((3*c + sum[max(i-1, 0)] + 8) >> 4)
		out[2*i+1] = byte((3*c + sum[min(i+1, last)] + 7) >> 4)
	}
}
