package image

import (
	"bytes"
	"errors"
	"testing"
)

// One step gives what two give, bit for bit.
func TestDecodeResized(t *testing.T) {
	for _, name := range []string{
		"photo.png", "photo.bmp", "gray.png", "palette.png", "alpha.png", "grayalpha.png", "alpha.bmp", "deep.png",
		"photo444.jpg", "photo422.jpg", "photo420.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg", "rotated.jpg",
	} {
		m := decoded(t, name)
		for _, tt := range []struct {
			h, w int
			keep bool
			l    Limits
		}{
			{20, 30, false, Limits{}}, {60, 90, false, Limits{}}, {1, 1, false, Limits{}}, {20, 40, true, Limits{}},
			{m.Height, m.Width, false, Limits{}}, {20, 30, true, Limits{MaxStruct: 300}}, {0, 3, false, Limits{}},
			{1 << 20, 1 << 20, false, Limits{}}, {3, 3, false, Limits{MaxBytes: 10}},
		} {
			got, err := DecodeResized(read(t, name), tt.l, tt.h, tt.w, tt.keep)
			want, wantErr := Decode(read(t, name), tt.l)
			if wantErr == nil {
				want, wantErr = want.Resize(tt.h, tt.w, tt.keep)
			}
			if (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() || errors.Is(err, errTooLarge) != errors.Is(wantErr, errTooLarge) {
				t.Errorf("%s %+v: %v, want %v", name, tt, err, wantErr)
			} else if err == nil && !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Errorf("%s %+v: differs", name, tt)
			}
		}
	}
}
