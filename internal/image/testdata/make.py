"""Makes the images here and what TensorFlow says about them (tensorflow-cpu 2.21.0, Pillow 13.0.0, numpy).

    python make.py

name.jpg|png|bmp is an image, name.rgb what tf.io.decode_image(channels=3) gives, for JPEG with
dct_method="INTEGER_ACCURATE"; name.fast.rgb is TensorFlow's default for JPEG, INTEGER_FAST. resize.f32 and colors.f32 hold float32
results for photo.png, one after the other, in the order of the calls below.
"""
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import io, struct, zlib
import numpy as np
import tensorflow as tf
from PIL import Image

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)


def scene(h, w):
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    a = np.stack([127 + 120 * np.sin(x / 5 + y / 9), 127 + 120 * np.cos(x / 7 - y / 4), 255 * ((x // 6 + y // 6) % 2)], -1)
    return np.clip(a + rng.normal(0, 6, a.shape), 0, 255).astype(np.uint8)


def save(name, data):
    with open(os.path.join(here, name), "wb") as f:
        f.write(data)


def pil(name, img, **kw):
    b = io.BytesIO()
    img.save(b, **kw)
    save(name, b.getvalue())


photo = scene(37, 45)
rgb = Image.fromarray(photo)
pil("photo.png", rgb, format="PNG")
pil("photo.bmp", rgb, format="BMP")
for name, sub in (("444", 0), ("422", 1), ("420", 2)):
    pil(f"photo{name}.jpg", rgb, format="JPEG", quality=85, subsampling=sub)
pil("progressive.jpg", rgb, format="JPEG", quality=80, progressive=True)
pil("gray.jpg", rgb.convert("L"), format="JPEG", quality=85)
pil("gray.png", rgb.convert("L"), format="PNG")
pil("cmyk.jpg", rgb.convert("CMYK"), format="JPEG", quality=85)
pil("palette.png", rgb.quantize(32), format="PNG")
alpha = np.concatenate([photo, (np.arange(45 * 37).reshape(37, 45, 1) % 256).astype(np.uint8)], -1)
pil("alpha.png", Image.fromarray(alpha, "RGBA"), format="PNG")
pil("grayalpha.png", Image.fromarray(alpha, "RGBA").convert("LA"), format="PNG")
pil("alpha.bmp", Image.fromarray(alpha, "RGBA"), format="BMP")
exif = Image.Exif()
exif[0x0112] = 6
pil("rotated.jpg", rgb, format="JPEG", quality=85, exif=exif)
wide = (photo[:5, :7].astype(np.uint16) << 8) | rng.integers(0, 256, (5, 7, 3)).astype(np.uint16)
save("deep.png", tf.io.encode_png(wide).numpy())


def bomb(side):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))


save("bomb.png", bomb(60000))
for f in sorted(os.listdir(here)):
    if f.endswith((".jpg", ".png", ".bmp")) and f != "bomb.png":
        data = open(os.path.join(here, f), "rb").read()
        if f.endswith(".jpg"):
            save(f + ".fast.rgb", tf.io.decode_jpeg(data, channels=3).numpy().tobytes())
            out = tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE").numpy()
        elif f == "alpha.bmp":  # decode_image wants 4 channels of it
            out = tf.io.decode_bmp(data).numpy()[:, :, :3]
        else:
            out = tf.io.decode_image(data, channels=3, expand_animations=False).numpy()
        save(f + ".rgb", out.tobytes())
unit = photo.astype(np.float32) / np.float32(255)
out = []
for h, w, keep in ((20, 30, False), (64, 90, False), (224, 17, False), (1, 1, False), (20, 40, True), (100, 60, True)):
    r = tf.image.resize(unit, (h, w), preserve_aspect_ratio=keep, antialias=False).numpy()
    print(h, w, keep, r.shape)
    out.append(r.astype("<f4").tobytes())
save("resize.f32", b"".join(out))
save("colors.f32", b"".join(f(unit).numpy().astype("<f4").tobytes() for f in
     (tf.image.rgb_to_hsv, tf.image.rgb_to_grayscale, tf.image.rgb_to_yiq, tf.image.rgb_to_yuv)))
save("integers.u8", tf.image.convert_image_dtype(tf.image.resize(unit, (20, 30)), tf.uint8).numpy().tobytes())
