package image

import "image"

// ycc turns the rows of a JPEG's luma and chroma into RGB as libjpeg does: subsampled chroma goes through its triangle
// filter (jdsample.c, "fancy upsampling"), then through its fixed-point tables (jdcolor.c). image.YCbCr.At repeats the
// nearest sample instead, which is off by up to a hundred at edges between colours.
type ycc struct {
	s      *image.YCbCr
	fx, fy int      // how many pixels share a sample of chroma
	cw, ch int      // the size of the planes of chroma
	sums   []uint32 // of the two rows of chroma that are nearest
	chroma []uint32 // of a row's pixels
}

// Cb and Cr are computed side by side: Cb in the low half of a uint32, Cr in the high one. No sum of theirs carries over.

func newYCC(s *image.YCbCr) *ycc {
	c := &ycc{s: s, fx: 1, fy: 1}
	switch s.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		c.fx = 2
	case image.YCbCrSubsampleRatio420:
		c.fx, c.fy = 2, 2
	case image.YCbCrSubsampleRatio440:
		c.fy = 2
	case image.YCbCrSubsampleRatio411:
		c.fx = 4
	case image.YCbCrSubsampleRatio410:
		c.fx, c.fy = 4, 2
	}
	c.cw, c.ch = (s.Rect.Dx()+c.fx-1)/c.fx, (s.Rect.Dy()+c.fy-1)/c.fy
	c.sums, c.chroma = make([]uint32, c.cw), make([]uint32, c.cw*c.fx)
	return c
}

// row writes row y.
func (c *ycc) row(y int, dst []byte) {
	luma := c.s.Y[y*c.s.YStride:][:c.s.Rect.Dx()]
	c.upsample(y)
	chroma := c.chroma[:len(luma)]
	dst = dst[:3*len(luma)]
	for x, l := range luma {
		uv := chroma[x]
		v := ofCb[byte(uv)] + ofCr[byte(uv>>16)] + uint64(l)*ofY
		d := dst[3*x:][:3]
		d[0], d[1], d[2] = clamped[v>>redAt&1023], clamped[v>>greenAt&1023], clamped[v>>blueAt&1023]
	}
}

// upsample computes the chroma of the pixels of row y.
func (c *ycc) upsample(y int) {
	row := y / c.fy
	cb, cr := c.plane(row)
	smooth := c.cw > 2 && c.fx == 2 || c.fx == 1
	switch {
	case !smooth: // libjpeg has no filter for these
		for i, u := range cb {
			uv := uint32(u) | uint32(cr[i])<<16
			for k := range c.chroma[i*c.fx:][:c.fx] {
				c.chroma[i*c.fx+k] = uv
			}
		}
	case c.fy == 1 && c.fx == 1:
		for i, u := range cb {
			c.chroma[i] = uint32(u) | uint32(cr[i])<<16
		}
	case c.fy == 1:
		for i, u := range cb {
			c.sums[i] = uint32(u) | uint32(cr[i])<<16
		}
		pairs(c.chroma, c.sums, 1<<16|1, 2<<16|2, 2)
	default: // the row on the other side of this one counts too; the outermost rows stand in for what is beyond them
		cbNear, crNear := c.plane(min(max(row-1+2*(y%2), 0), c.ch-1))
		for i, u := range cb {
			c.sums[i] = 3*(uint32(u)|uint32(cr[i])<<16) + (uint32(cbNear[i]) | uint32(crNear[i])<<16)
		}
		if c.fx == 2 {
			pairs(c.chroma, c.sums, 8<<16|8, 7<<16|7, 4)
			break
		}
		add := uint32(1+y%2) * (1<<16 | 1)
		for i, s := range c.sums {
			c.chroma[i] = (s + add) >> 2 & (0xff<<16 | 0xff)
		}
	}
}

// plane gives a row of Cb and Cr, of the same length.
func (c *ycc) plane(row int) (cb, cr []byte) {
	at := row * c.s.CStride
	return c.s.Cb[at:][:c.cw], c.s.Cr[at:][:c.cw]
}

// pairs makes two of each sum: each has three parts of its own and one of the neighbour on its side.
func pairs(out, sums []uint32, left, right uint32, shift uint8) {
	out = out[:2*len(sums)]
	before, own := sums[0], sums[0]
	for i := range sums {
		after := own
		if i+1 < len(sums) {
			after = sums[i+1]
		}
		o := out[2*i:][:2]
		o[0] = (3*own + before + left) >> (shift & 31) & (0xff<<16 | 0xff)
		o[1] = (3*own + after + right) >> (shift & 31) & (0xff<<16 | 0xff)
		before, own = own, after
	}
}

// A pixel's red, green and blue are summed up in one uint64: whole numbers from these bits on, 10 bits each and 256 too
// large, so that none is negative. Green keeps 16 bits of fraction below.
const (
	greenAt, redAt, blueAt = 16, 28, 40

	ofY = 1<<greenAt | 1<<redAt | 1<<blueAt
)

var (
	ofCb, ofCr = func() (cb, cr [256]uint64) {
		const half = 1 << 15
		for i := range cb {
			v := i - 128
			cb[i] = uint64(-22554*v+128<<16) + uint64((116130*v+half)>>16+256)<<blueAt
			cr[i] = uint64(-46802*v+half+128<<16) + uint64((91881*v+half)>>16+256)<<redAt
		}
		return cb, cr
	}()
	clamped = func() (t [1024]byte) {
		for i := range t {
			t[i] = byte(min(max(i-256, 0), 255))
		}
		return t
	}()
)
