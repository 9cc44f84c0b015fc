package image

import "encoding/binary"

// The inverse cosine transform is that of libjpeg's jidctint.c (dct_method INTEGER_ACCURATE in TensorFlow): Loeffler, Ligtenberg
// and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications", in whole numbers of 13 bits of fraction.
const (
	fix0_298631336 = 2446
	fix0_390180644 = 3196
	fix0_541196100 = 4433
	fix0_765366865 = 6270
	fix0_899976223 = 7373
	fix1_175875602 = 9633
	fix1_501321110 = 12299
	fix1_847759065 = 15137
	fix1_961570560 = 16069
	fix2_053119869 = 16819
	fix2_562915447 = 20995
	fix3_072711026 = 25172
)

// inverse transforms a block and writes its 8 × 8 samples. b is used up.
func inverse(out []byte, stride int, b *[64]int32) {
	for i := range 8 {
		x0, x1, x2, x3, x4, x5, x6, x7 := b[i], b[8+i], b[16+i], b[24+i], b[32+i], b[40+i], b[48+i], b[56+i]
		if x1|x2|x3|x4|x5|x6|x7 == 0 {
			x0 <<= 2
			b[i], b[8+i], b[16+i], b[24+i], b[32+i], b[40+i], b[48+i], b[56+i] = x0, x0, x0, x0, x0, x0, x0, x0
			continue
		}
		e0, e1, e2, e3, o0, o1, o2, o3 := halves(x0, x1, x2, x3, x4, x5, x6, x7, 1<<10)
		b[i], b[56+i] = (e0+o0)>>11, (e0-o0)>>11
		b[8+i], b[48+i] = (e1+o1)>>11, (e1-o1)>>11
		b[16+i], b[40+i] = (e2+o2)>>11, (e2-o2)>>11
		b[24+i], b[32+i] = (e3+o3)>>11, (e3-o3)>>11
	}
	for i := range 8 {
		r := b[8*i:][:8]
		e0, e1, e2, e3, o0, o1, o2, o3 := halves(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], 1<<17+128<<18)
		d := out[i*stride:][:8]
		d[0], d[7] = sample((e0+o0)>>18), sample((e0-o0)>>18)
		d[1], d[6] = sample((e1+o1)>>18), sample((e1-o1)>>18)
		d[2], d[5] = sample((e2+o2)>>18), sample((e2-o2)>>18)
		d[3], d[4] = sample((e3+o3)>>18), sample((e3-o3)>>18)
	}
}

// halves computes the even and the odd half of eight values, whose sums and differences are the values sought. add goes to
// all of them.
func halves(x0, x1, x2, x3, x4, x5, x6, x7, add int32) (e0, e1, e2, e3, o0, o1, o2, o3 int32) {
	z := (x2 + x6) * fix0_541196100
	t2, t3 := z-x6*fix1_847759065, z+x2*fix0_765366865
	t0, t1 := (x0+x4)<<13+add, (x0-x4)<<13+add
	e0, e1, e2, e3 = t0+t3, t1+t2, t1-t2, t0-t3

	z1, z2, z3, z4 := x7+x1, x5+x3, x7+x3, x5+x1
	z5 := (z3 + z4) * fix1_175875602
	z1, z2 = -z1*fix0_899976223, -z2*fix2_562915447
	z3, z4 = z5-z3*fix1_961570560, z5-z4*fix0_390180644
	o3 = x7*fix0_298631336 + z1 + z3
	o2 = x5*fix2_053119869 + z2 + z4
	o1 = x3*fix3_072711026 + z2 + z3
	o0 = x1*fix1_501321110 + z1 + z4
	return e0, e1, e2, e3, o0, o1, o2, o3
}

// flat writes the samples of a block that has no coefficient but the first.
func flat(out []byte, stride int, dc int32) {
	v := uint64(sample((dc<<2+16)>>5+128)) * 0x0101010101010101
	for i := range 8 {
		binary.LittleEndian.PutUint64(out[i*stride:], v)
	}
}

func sample(v int32) byte {
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 below, 255 above
	}
	return byte(v)
}
