"""Writes guesslang.json and basic-pitch.json: what TensorFlow's own Python
runtime answers for the two real models. The form is that of
testdata/models/make_models.py, whose environment this script uses:

    make models
    build/venv/bin/python connectors/tensorflow/testdata/make_expected.py build/models

basic-pitch has 43,844 samples in and 80,000 numbers out per row: its input is
written as the formula that makes it, and of every output each 997th number.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "..", "testdata", "models"))
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from make_models import tensor  # noqa: E402

SOURCES = [
    "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"quack\")\n}\n",
    "def quack(n):\n    for i in range(n):\n        print('quack', i)\n",
    "#include <stdio.h>\nint main(void) { puts(\"quack\"); return 0; }\n",
    "SELECT name, count(*) FROM ducks WHERE weight > 1.5 GROUP BY name ORDER BY 2 DESC;\n",
    "<html><body><h1>Ducks</h1><p>Quack</p></body></html>\n",
    "fn main() {\n    let v: Vec<u32> = (1..10).collect();\n    println!(\"{:?}\", v);\n}\n",
    "", "Ente, Schwäne und 鸭子",
]


def write(name, cases):
    with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(cases, f, ensure_ascii=False, indent=1)
        f.write("\n")


def main(models):
    m = tf.saved_model.load(os.path.join(models, "guesslang"))
    cases = []
    for signature, key in [("serving_default", "inputs"), ("predict", "content")]:
        x = tf.constant(SOURCES)
        # A TensorFlow 1 signature takes its one argument by the name of its placeholder.
        out = m.signatures[signature](x)
        cases.append({"signature": signature, "inputs": {key: tensor(x)}, "outputs": {k: tensor(v) for k, v in sorted(out.items())}})
    write("guesslang", cases)

    n = np.arange(2 * 43844, dtype=np.float64)
    x = (0.3 * np.sin(n * 0.125) + 0.2 * np.sin(n * 0.0631)).astype(np.float32).reshape(2, 43844, 1)
    v1 = tf.compat.v1  # TensorFlow 2's loader stumbles over the optimizer that this model was saved with
    with tf.Graph().as_default(), v1.Session() as session:
        meta = v1.saved_model.load(session, ["serve"], os.path.join(models, "basic-pitch"))
        sig = meta.signature_def["serving_default"]
        out = session.run({k: v.name for k, v in sig.outputs.items()}, {sig.inputs["input_2"].name: x})
    write("basic-pitch", [{
        "signature": "serving_default", "inputs": {},
        "outputs": {k: {"dtype": "float32", "shape": list(v.shape), "values": [float(f) for f in v.reshape(-1)[::997]]} for k, v in sorted(out.items())},
    }])


if __name__ == "__main__":
    main(sys.argv[1])
