// Package image decodes, resizes and converts images as BigQuery ML's ML.DECODE_IMAGE, ML.RESIZE_IMAGE,
// ML.CONVERT_COLOR_SPACE and ML.CONVERT_IMAGE_TYPE do. Start with Decode.
//
// # The compact form
//
// BigQuery shows an image as STRUCT<ARRAY<INT64>, ARRAY<FLOAT64>>: its shape [H, W, C] and one DOUBLE per channel of
// each pixel, row by row. Between functions an image is a BLOB instead, a header of 16 bytes and the pixels in that
// order, all little-endian:
//
//	0   4 bytes  8B 'M' 'I' '1'
//	4   uint8    how pixels are stored, see DType: 1, 2 or 3
//	5   uint8    channels, 1 to 4
//	6   uint16   zero
//	8   uint32   height
//	12  uint32   width
//	16  …        height × width × channels pixels of 4, 1 or 1 bytes
//
// Unit8 is what makes it compact: a decoded image is byte/255 in every pixel, so the bytes say it all.
//
// # Against TensorFlow
//
// The arithmetic is TensorFlow's: libjpeg's triangle filter for subsampled colour, alpha dropped and not multiplied in,
// 16 bits cut to 8, CMYK as ink over white, EXIF rotation ignored, tf.image.resize(bilinear, antialias=False) with
// half-pixel centres. PNG, BMP and resizing give TensorFlow's numbers exactly, colours to float32 rounding. JPEG differs by the
// inverse cosine transform. Measured with TensorFlow 2.21.0 on a photograph of 600 × 512 at qualities of 50 to 95, with and
// without subsampled colour, and on the files of testdata/images, in units of 1/255:
//
//	                                              at most   on average
//	Go's image/jpeg and dct_method INTEGER_ACCURATE     3   0.02 to 0.04
//	Go's image/jpeg and TensorFlow's default           20   0.5 to 1.5
//	TensorFlow's default and INTEGER_ACCURATE          20   0.5 to 1.5
//
// TensorFlow's default is the fast, inexact transform, darker by 0.8 on average. The activations of a small residual
// network (0 to 2) move by 0.007 in the first case and by 0.045 in the others, by 0.0000001 on the same decoded image.
// tf.image.resize(antialias=True), which nothing here uses, differs by up to 98.
package image
