package objecttable

import (
	"strings"
	"testing"
)

func TestImageFunctions(t *testing.T) {
	db := openDB(t, Options{})
	photo := "object_bytes('../internal/image/testdata/photo.png')"
	db.want("STRUCT(_field_1 BIGINT[], _field_2 DOUBLE[])", "SELECT typeof(ml_image_struct(ml_decode_image("+photo+")))")
	db.want("[37, 45, 3]|4995", "SELECT s._field_1::VARCHAR, len(s._field_2) FROM (SELECT ml_image_struct(ml_decode_image("+photo+")) AS s)")
	db.want("[20, 24, 3]", "SELECT ml_image_struct(ml_resize_image(ml_decode_image("+photo+"), 20, 40, TRUE))._field_1::VARCHAR")
	db.want("[20, 40, 1]", "SELECT ml_image_struct(ml_convert_color_space(ml_resize_image(ml_decode_image("+photo+"), 20, 40, FALSE), 'grayscale'))._field_1::VARCHAR")
	db.want("true", "SELECT list_bool_and(list_transform(ml_image_struct(ml_convert_image_type(ml_decode_image("+photo+")))._field_2, lambda x: x = round(x) AND x BETWEEN 0 AND 255))")
	db.want("{'_field_1': [1, 2, 3], '_field_2': [0.5, 0.25, 1.0, 0.0, 2.0, 3.0]}", "SELECT ml_image_struct(ml_image_blob(row([1, 2, 3], [0.5, 0.25, 1, 0, 2, 3])))::VARCHAR")
	db.want("<nil>", "SELECT ml_resize_image(ml_decode_image("+photo+"), NULL, 2, TRUE)")
	// Five rows, in any order of goroutines, NULLs between them.
	db.want("[37, 45, 3]\n<nil>\n[37, 45, 3]\n<nil>\n[5, 7, 3]", `SELECT ml_image_struct(ml_decode_image(object_bytes(u)))._field_1::VARCHAR FROM (VALUES
		('../internal/image/testdata/photo.png'), (NULL), ('../internal/image/testdata/cmyk.jpg'), ('../internal/image/testdata/bomb.png'), ('../internal/image/testdata/deep.png')) t(u)`)
	if got := db.host.noted(); !strings.Contains(got, "60000 × 60000 pixels") {
		t.Error(got)
	}
	db.wantError("not a decoded image", "SELECT ml_resize_image("+photo+", 2, 2, TRUE)")
	db.wantError("height and width begin at 1", "SELECT ml_resize_image(ml_decode_image("+photo+"), 0, 2, TRUE)")
	db.host.strict = true
	db.wantError("ml_decode_image: the image is too large", "SELECT ml_decode_image(object_bytes('../internal/image/testdata/bomb.png'))")
}
