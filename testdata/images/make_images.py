"""Writes the images of this folder and expected.json, what TensorFlow's own Python runtime says about them (tensorflow-cpu
2.21.0, numpy, Pillow 13.0.0). It needs the models of testdata/models, and bin/mallard for what Mallard decodes: `make fixtures`
runs all in order.

    python testdata/images/make_images.py

expected.json has one object for each image:

    file, height, width
    small             tf.image.resize to [6, 8] of byte/255, [6, 8, 3] flat
    activation_49     of resnet_like, for tf.image.resize to [224, 224] of byte/255
    feature_vector    of mobilenet_like, for the bytes in their own size
    scores            of encoded_images, for the file itself, which the graph decodes by TensorFlow's default

The bytes are tf.io.decode_image(channels=3), for JPEG tf.io.decode_jpeg(channels=3, dct_method="INTEGER_ACCURATE"). Fields that
end in _fast are the same for TensorFlow's default for JPEG, INTEGER_FAST, those that end in _same for the bytes that Mallard
decodes, of which everything else (resizing, the model) is still TensorFlow's.
"""

import base64
import json
import os
import subprocess

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from PIL import Image  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "models")


def scene(seed, h, w):
    """A landscape: a sky, hills, a textured meadow, a striped ball with a shadow."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w] / np.array(max(h, w), np.float64)
    bottom, right = h / max(h, w), w / max(h, w)
    sky = np.stack([0.35 + 0.5 * y / bottom, 0.55 + 0.35 * y / bottom, 0.95 - 0.1 * y], -1)
    img = sky
    for i in range(3):
        ridge = bottom * (0.45 + 0.15 * i) + 0.05 * np.sin(x * (7 + 4 * i) + seed + i) + 0.02 * np.sin(x * 31 + i)
        colour = np.array([0.15 + 0.12 * i, 0.35 + 0.1 * i, 0.2 - 0.04 * i])
        img = np.where((y > ridge)[..., None], colour * (1 + 0.25 * np.sin(90 * x + 60 * y))[..., None], img)
    cx, cy, r = right * (0.3 + 0.1 * (seed % 4)), bottom * 0.6, 0.16
    d = np.hypot(x - cx, y - cy)
    shadow = np.hypot((x - cx - 0.04) / 1.6, (y - cy - r) / 0.35) < r
    img = np.where(shadow[..., None], img * 0.5, img)
    stripes = np.stack([0.9 - 0.5 * (np.sin(40 * (x + y)) > 0), 0.15 + 0.6 * (np.sin(40 * (x + y)) > 0), 0.1 + 0 * x], -1)
    img = np.where((d < r)[..., None], stripes * (1.1 - 2.5 * np.hypot(x - cx + 0.05, y - cy + 0.05))[..., None], img)
    return np.clip(img * 255 + rng.normal(0, 3, img.shape), 0, 255).astype(np.uint8)


def pil(name, img, **kw):
    img.save(os.path.join(HERE, name), **kw)


def images():
    pil("baseline.jpg", Image.fromarray(scene(1, 240, 320)), quality=85)
    pil("progressive.jpg", Image.fromarray(scene(2, 200, 300)), quality=80, progressive=True)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me by 90 degrees": TensorFlow does not
    pil("rotated.jpg", Image.fromarray(scene(3, 210, 160)), quality=85, exif=exif)
    pil("cmyk.jpg", Image.fromarray(scene(4, 120, 160)).convert("CMYK"), quality=85)
    pil("gray.jpg", Image.fromarray(scene(5, 180, 180)).convert("L"), quality=85)
    pil("photo with ä space.jpg", Image.fromarray(scene(6, 224, 224)), quality=75, subsampling=0)
    pil("rgb.png", Image.fromarray(scene(7, 64, 80)))
    rgba = np.concatenate([scene(8, 64, 64), np.mgrid[0:64, 0:64][0][..., None].astype(np.uint8) * 4], -1)
    pil("rgba.png", Image.fromarray(rgba, "RGBA"))
    pil("palette.png", Image.fromarray(scene(9, 100, 140)).quantize(64))
    deep = scene(10, 40, 50).astype(np.uint16) * 256 + 77
    with open(os.path.join(HERE, "deep.png"), "wb") as f:
        f.write(tf.io.encode_png(deep).numpy())


def numbers(t):
    """The float32 numbers, with no more digits than tell them apart."""
    return [float(np.format_float_positional(v, unique=True, trim="-")) for v in t.numpy().astype(np.float32).reshape(-1)]


def decoded():
    """The bytes that Mallard decodes, by file: behind a header of 16 bytes with the height and the width at its end."""
    query = f"SELECT parse_filename(filename) AS file, base64(ml_decode_image(content)) AS image FROM read_blob('{HERE}/*') WHERE filename SIMILAR TO '.*[.](jpg|png)'"
    rows = json.loads(subprocess.run([os.path.join(HERE, "..", "..", "bin", "mallard"), "-json", "-c", query], check=True, capture_output=True).stdout)
    out = {}
    for row in rows:
        b = base64.b64decode(row["image"])
        h, w = np.frombuffer(b, "<u4", 2, 8)
        out[row["file"]] = np.frombuffer(b, np.uint8, offset=16).reshape(h, w, 3)
    return out


def signature(name):
    m = tf.saved_model.load(os.path.join(MODELS, name))
    return m, m.signatures["serving_default"]  # the caller keeps both: the function does not


def main():
    images()
    keep, models = [], {}
    for name in ("resnet_like", "mobilenet_like", "encoded_images"):
        m, models[name] = signature(name)
        keep.append(m)
    out, ours = [], decoded()
    for file in sorted(os.listdir(HERE)):
        if not file.endswith((".jpg", ".png")):
            continue
        with open(os.path.join(HERE, file), "rb") as f:
            data = f.read()
        jpeg = file.endswith(".jpg")
        ways = {"": tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE") if jpeg else tf.io.decode_image(data, 3, expand_animations=False)}
        if jpeg:
            ways["_fast"] = tf.io.decode_jpeg(data, 3)
        ways["_same"] = tf.constant(ours[file])
        row = {"file": file, "height": ways[""].shape[0], "width": ways[""].shape[1]}
        for way, pixels in ways.items():
            unit = tf.constant(pixels.numpy().astype(np.float32) / np.float32(255))
            row["small" + way] = numbers(tf.image.resize(unit, [6, 8]))
            row["activation_49" + way] = numbers(models["resnet_like"](input_1=tf.image.resize(unit, [224, 224])[None])["activation_49"])
            row["feature_vector" + way] = numbers(models["mobilenet_like"](inputs=pixels[None])["feature_vector"])
        row["scores"] = numbers(models["encoded_images"](image_bytes=tf.constant([data]))["scores"])
        out.append(row)
        exact = ways[""].numpy().astype(int)
        for way, name in (("_fast", "INTEGER_FAST"), ("_same", "Mallard")):
            if way in ways:
                d = np.abs(exact - ways[way].numpy())
                print(f"{file:24} {len(data):6} bytes; {name} is off by up to {d.max()} of 255, on average {d.mean():.3f}")
    with open(os.path.join(HERE, "expected.json"), "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in out) + "\n]\n")


if __name__ == "__main__":
    main()
