"""Writes the tiny SavedModels of this folder, and what TensorFlow's own Python
runtime says they answer: NAME/ is a model, NAME.json its expected values.

    python3 -m venv build/venv
    build/venv/bin/pip install tensorflow-cpu==2.21.0
    build/venv/bin/python testdata/models/make_models.py [NAME...]

Weights come from a fixed seed. A model is a tf.Module with tf.functions, not a
Keras model: Keras' own export writes XlaCallModule ops.

NAME.json is a list of cases:

    {"signature": "serving_default", "inputs": {key: tensor}, "outputs": {key: tensor}}

and a tensor is {"dtype", "shape", "values"}, the values flat, row by row.
Floats are written with all their digits ("nan", "inf", "-inf" as strings),
64-bit integers as numbers, strings that are not valid UTF-8 as {"base64": ...}.
A model without a JSON file is there to be refused, has no fixed answer, or has
its answers in testdata/images.
"""

import base64
import json
import math
import os
import shutil
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = {}


def model(f):
    """Registers a function that writes the model of its name."""
    MODELS[f.__name__] = f
    return f


def weights(name, *shape, scale=1.0):
    rng = np.random.default_rng([ord(c) for c in name])
    return tf.constant(rng.standard_normal(shape, dtype=np.float32) * np.float32(scale))


class Module(tf.Module):
    """A module whose attributes are given by keyword, so that variables and assets are tracked."""

    def __init__(self, **kw):
        super().__init__()
        for k, v in kw.items():
            setattr(self, k, v)


def spec(shape, dtype=tf.float32, name=None):
    return tf.TensorSpec(shape, dtype, name=name)


def tensor(t):
    dtype = t.dtype.name
    a = t.numpy()
    if dtype == "string":
        values = [text(b) for b in np.asarray(a, dtype=object).reshape(-1)]
    elif dtype == "bool":
        values = [bool(v) for v in a.reshape(-1)]
    elif dtype.startswith(("int", "uint")):
        values = [int(v) for v in a.reshape(-1)]
    else:
        values = [number(float(v)) for v in a.astype(np.float64).reshape(-1)]
    return {"dtype": dtype, "shape": list(t.shape), "values": values}


def text(b):
    try:
        return b.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(b).decode()}


def number(f):
    if math.isnan(f) or math.isinf(f):
        return repr(f)
    return f


def save(name, module, signatures, cases=(), **kw):
    """Saves a model and asks the loaded copy for its answers."""
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    tf.saved_model.save(module, folder, signatures=signatures, options=options)
    os.remove(os.path.join(folder, "fingerprint.pb"))
    expect(name, folder, cases, **kw)


def expect(name, folder, cases, tags=("serve",)):
    out = []
    loaded = tf.saved_model.load(folder, tags=list(tags)) if cases else None
    for case in cases:
        signature, inputs = case if isinstance(case, tuple) else ("serving_default", case)
        f = loaded.signatures[signature]
        want = f.structured_input_signature[1]
        inputs = {k: tf.constant(v, want[k].dtype) for k, v in inputs.items()}
        answer = f(**inputs)
        out.append({
            "signature": signature,
            "inputs": {k: tensor(v) for k, v in sorted(inputs.items())},
            "outputs": {k: tensor(v) for k, v in sorted(answer.items())},
        })
    path = os.path.join(HERE, name + ".json")
    if out:
        with open(path, "w", encoding="utf-8") as f:
            json.dump(out, f, ensure_ascii=False, indent=1)
            f.write("\n")
    elif os.path.exists(path):
        os.remove(path)


TEXTS = [
    "What is BigQuery?", "", "Hello, world", "duck", "Ente, Schwäne und Gänse", "鸭子在水里游", "🦆🦆🦆",
    "A mallard is a dabbling duck that breeds throughout the temperate and subtropical Americas",
    "tabs\tand\nnewlines\r\nhere", "What is BigQuery?", "x" * 300,
]


def bag(words, table):
    """Mean of the hashed words' rows in a table; zero for a text without words."""
    buckets = table.shape[0]
    tokens = tf.strings.split(tf.strings.lower(words))
    ids = tf.strings.to_hash_bucket_fast(tokens.flat_values, buckets)
    rows = tf.gather(table, ids)
    total = tf.math.unsorted_segment_sum(rows, tokens.value_rowids(), tokens.nrows())
    count = tf.cast(tokens.row_lengths(), tf.float32)
    return tf.math.divide_no_nan(total, count[:, None])


@model
def text_classifier():
    """The shape of the text classification tutorial: input -> dense_1, three classes."""
    m = Module(table=tf.Variable(weights("tc1", 512, 16)), w=tf.Variable(weights("tc2", 16, 3, scale=2.0)), b=tf.Variable(weights("tc3", 3)))

    @tf.function(input_signature=[spec([None], tf.string, "input")])
    def serve(input):
        return {"dense_1": tf.nn.softmax(tf.nn.tanh(bag(input, m.table)) @ m.w + m.b)}

    save("text_classifier", m, serve, [{"input": TEXTS}, {"input": TEXTS[:1]}, {"input": []}])


def embedding(name, width):
    m = Module(table=tf.Variable(weights(name, 768, width)))

    @tf.function(input_signature=[spec([None], tf.string, "content")])
    def serve(content):
        return {"embedding": bag(content, m.table)}

    save(name, m, serve, [{"content": TEXTS}, {"content": TEXTS[:1]}])


@model
def nnlm_like():
    """The shape of the NNLM tutorial: content -> embedding, 50 wide."""
    embedding("nnlm_like", 50)


@model
def swivel_like():
    """The shape of the SWIVEL tutorial: content -> embedding, 20 wide."""
    embedding("swivel_like", 20)


@model
def perceptron():
    """Four float32 columns -> score, as BigQuery's tabular examples have it."""
    names = ["a", "b", "c", "d"]
    m = Module(w1=tf.Variable(weights("p1", 4, 16)), b1=tf.Variable(weights("p2", 16)), w2=tf.Variable(weights("p3", 16, 1)), b2=tf.Variable(weights("p4", 1)))

    @tf.function(input_signature=[spec([None], name=n) for n in names])
    def serve(a, b, c, d):
        h = tf.nn.relu(tf.stack([a, b, c, d], axis=1) @ m.w1 + m.b1)
        return {"score": tf.sigmoid(h @ m.w2 + m.b2)}

    rows = np.random.default_rng(7).standard_normal((16, 4)).astype(np.float32)
    rows[0] = 0
    save("perceptron", m, serve, [{n: rows[:, i] for i, n in enumerate(names)}, {n: rows[:1, i] for i, n in enumerate(names)}])


DTYPES = [tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint16, tf.uint32, tf.uint64, tf.float16, tf.bfloat16, tf.float32, tf.float64]


@model
def dtypes():
    """One input x_T and one output y_T for every type T: numbers come back plus one, bool negated, a string with "!"."""
    all_types = DTYPES + [tf.bool, tf.string]

    @tf.function(input_signature=[spec([None], d, "x_" + d.name) for d in all_types])
    def serve(*xs):
        out = {}
        for d, x in zip(all_types, xs):
            if d == tf.bool:
                y = tf.logical_not(x)
            elif d == tf.string:
                y = tf.strings.join([x, "!"])
            elif d in (tf.uint16, tf.uint32):  # AddV2 has these in the newest releases only
                y = tf.cast(tf.cast(x, tf.int64) + 1, d)
            else:
                y = x + tf.constant(1, d)
            out["y_" + d.name] = y
        return out

    case = {}
    for d in DTYPES:
        if d.is_integer:
            case["x_" + d.name] = [d.min, 0, 1, d.max - 1]
        else:
            case["x_" + d.name] = [-1.5, 0.0, 0.5, 100.25]
    case["x_bool"] = [True, False, True, False]
    case["x_string"] = ["", "a", "Ü", "x" * 100]
    save("dtypes", Module(), serve, [case])


@model
def shapes():
    """Inputs and outputs of rank 1 to 4; every output is its input times two, "any" of unknown inner length."""
    names = {"r1": [None], "one": [None, 1], "n3": [None, 3], "any": [None, None], "r3": [None, 2, 3], "r4": [None, 2, 3, 4]}

    @tf.function(input_signature=[spec(s, name=k) for k, s in names.items()])
    def serve(r1, one, n3, any, r3, r4):
        return {"out_r1": r1 * 2.0, "out_one": one * 2.0, "out_n3": n3 * 2.0, "out_any": any * 2.0, "out_r3": r3 * 2.0, "out_r4": r4 * 2.0}

    def fill(shape):
        n = int(np.prod(shape))
        return (np.arange(n, dtype=np.float32) / 4 - 1).reshape(shape)

    case = {k: fill([3] + [5 if d is None else d for d in s[1:]]) for k, s in names.items()}
    save("shapes", Module(), serve, [case])


@model
def two_outputs_case():
    """Outputs whose names differ in case only: A is x + 1, a is x * 10."""

    @tf.function(input_signature=[spec([None], name="x")])
    def serve(x):
        return {"A": x + 1.0, "a": x * 10.0}

    save("two_outputs_case", Module(), serve, [{"x": [0.0, 1.0, 2.5]}])


@model
def same_name():
    """Input and output share the name x: x + 1."""

    @tf.function(input_signature=[spec([None], name="x")])
    def serve(x):
        return {"x": x + 1.0}

    save("same_name", Module(), serve, [{"x": [0.0, 1.0, 2.5]}])


def fixed(name, n):
    @tf.function(input_signature=[spec([n, 2], name="x")])
    def serve(x):
        return {"y": tf.reduce_sum(x, axis=1), "scaled": x * 3.0}

    save(name, Module(), serve, [{"x": np.arange(2 * n, dtype=np.float32).reshape(n, 2)}])


@model
def fixed_batch():
    """A batch of exactly four rows."""
    fixed("fixed_batch", 4)


@model
def fixed_batch_1():
    """A batch of exactly one row."""
    fixed("fixed_batch_1", 1)


@model
def many_in_out():
    """Inputs and outputs of several types; the order of keys is not the order of the arguments."""

    @tf.function(input_signature=[spec([None], tf.string, "name"), spec([None], tf.int64, "count"), spec([None, 2], tf.float32, "point"), spec([None], tf.bool, "flag")])
    def serve(name, count, point, flag):
        return {
            "label": tf.strings.join([name, ":", tf.strings.as_string(count)]),
            "Total": tf.cast(count, tf.float64) + tf.cast(tf.reduce_sum(point, 1), tf.float64),
            "flipped": tf.where(flag, -point[:, 0], point[:, 0]),
            "double": count * 2,
            "moved": point + 1.0,
        }

    save("many_in_out", Module(), serve, [{
        "name": ["ann", "", "Zoë"], "count": [1, -5, 2**53 + 1], "point": [[0.5, 1.5], [-1.0, 2.0], [3.0, 4.0]], "flag": [True, False, True],
    }])


@model
def string_out():
    """Strings out: upper case; the first n bytes, which may cut a character; pieces [None, None]; a long one."""

    @tf.function(input_signature=[spec([None], tf.string, "text"), spec([None], tf.int32, "n")])
    def serve(text, n):
        return {
            "upper": tf.strings.upper(text, encoding="utf-8"),
            "cut": tf.map_fn(lambda p: tf.strings.substr(p[0], 0, p[1]), (text, n), fn_output_signature=tf.string),
            "pieces": tf.strings.split(text).to_tensor(default_value="-"),
            "same": tf.identity(text),
            "long": tf.strings.join([text] * 20, separator="/"),
        }

    save("string_out", Module(), serve, [
        {"text": ["a b c", "Ü", "", "longer than twenty-two bytes in all"], "n": [2, 1, 3, 30]},
        {"text": ["plain words"], "n": [5]},
    ])


@model
def no_batch():
    """An output without a batch dimension: the sum of all rows."""

    @tf.function(input_signature=[spec([None], name="x")])
    def serve(x):
        return {"sum": tf.reduce_sum(x), "y": x + 1.0}

    save("no_batch", Module(), serve)


@model
def unknown_rank():
    """An input and an output whose number of dimensions is not known."""

    @tf.function(input_signature=[spec(None, name="x")])
    def serve(x):
        return {"y": x + 1.0}

    save("unknown_rank", Module(), serve)


@model
def unsupported_dtype():
    """A complex64 output."""

    @tf.function(input_signature=[spec([None], name="x")])
    def serve(x):
        return {"y": tf.complex(x, x), "real": x * 2.0}

    save("unsupported_dtype", Module(), serve)


@model
def sparse_input():
    """A sparse input, as TensorFlow 1 exports name it (coo_sparse)."""
    folder = os.path.join(HERE, "sparse_input")
    shutil.rmtree(folder, ignore_errors=True)
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.sparse_placeholder(tf.float32, [None, 4], name="x")
        y = tf.sparse.reduce_sum(x, axis=1)
        y.set_shape([None])
        v1.saved_model.simple_save(session, folder, {"x": x}, {"y": y})
    shutil.rmtree(os.path.join(folder, "variables"), ignore_errors=True)


@model
def table_assets():
    """A vocabulary file in assets/: word -> id, and back through a second table."""
    path = os.path.join(HERE, "vocabulary.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(["the", "duck", "swims", "Ente", "鸭子"]) + "\n")
    init = tf.lookup.TextFileInitializer(path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)
    back = tf.lookup.TextFileInitializer(path, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE)
    m = Module(table=tf.lookup.StaticHashTable(init, -1), back=tf.lookup.StaticHashTable(back, "?"))

    @tf.function(input_signature=[spec([None], tf.string, "word")])
    def serve(word):
        ids = m.table.lookup(word)
        return {"id": ids, "word_again": m.back.lookup(ids)}

    save("table_assets", m, serve, [{"word": ["duck", "goose", "", "鸭子", "the"]}])
    os.remove(path)


@model
def error_in_graph():
    """Fails on a negative number (Assert) and on text that is no number (StringToNumber)."""

    @tf.function(input_signature=[spec([None], name="x"), spec([None], tf.string, "number")])
    def serve(x, number):
        with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(x >= 0), ["x must not be negative", x], name="not_negative")]):
            return {"root": tf.sqrt(x), "parsed": tf.strings.to_number(number, name="parse_number")}

    save("error_in_graph", Module(), serve, [{"x": [4.0, 0.0], "number": ["1.5", "-2"]}])


@model
def failed_check():
    """Has tensors of as many dimensions as the largest x, and three more: 253 fail a check of TensorFlow 2.21, which ends the process."""

    @tf.function(input_signature=[spec([None], tf.int32, "x")])
    def serve(x):
        deep = tf.reshape(tf.cast(tf.reduce_max(x, keepdims=True), tf.float32), tf.ones([tf.reduce_max(x)], tf.int32))
        for _ in range(3):
            deep = tf.stack([deep, deep])
        return {"y": tf.cast(x, tf.float32) + tf.reduce_sum(tf.sqrt(deep))}

    save("failed_check", Module(), serve, [{"x": [4, 1]}])


@model
def stateful():
    """Counts its runs in a variable: the answer changes from run to run."""
    m = Module(counter=tf.Variable(0, dtype=tf.int64))

    @tf.function(input_signature=[spec([None], tf.int64, "x")])
    def serve(x):
        return {"y": x + m.counter.assign_add(1)}

    save("stateful", m, serve)


@model
def keeper():
    """Keeps the last input it was fed in a variable and gives the one before: a fed buffer lives on."""
    m = Module(last=tf.Variable(["nothing yet"], shape=[None], dtype=tf.string))

    @tf.function(input_signature=[spec([None], tf.string, "x")])
    def serve(x):
        before = tf.strings.join([tf.strings.reduce_join(m.last, separator="|")])
        with tf.control_dependencies([before]):
            m.last.assign(x)
        return {"before": tf.fill(tf.shape(x), before)}

    save("keeper", m, serve)


@model
def random():
    """Adds normal noise: never the same answer twice."""

    @tf.function(input_signature=[spec([None], name="x")])
    def serve(x):
        return {"y": x + tf.random.normal(tf.shape(x))}

    save("random", Module(), serve)


@model
def slow():
    """About a millisecond per row, one row after another, with nothing for other threads to do inside an op."""
    m = Module(w=tf.Variable(weights("slow", 64, 64, scale=0.1)))

    @tf.function(input_signature=[spec([None], name="x")])
    def serve(x):
        def row(v):
            h = tf.fill([1, 64], v)
            for _ in tf.range(160):
                h = tf.tanh(h @ m.w)
            return tf.reduce_sum(h) + v

        return {"y": tf.map_fn(row, x, parallel_iterations=1)}

    save("slow", m, serve, [{"x": [0.0, 0.5, -1.0]}])


@model
def reads_file():
    """Reads the file that its input names: to be refused."""

    @tf.function(input_signature=[spec([None], tf.string, "path")])
    def serve(path):
        return {"content": tf.map_fn(tf.io.read_file, path)}

    save("reads_file", Module(), serve)


@model
def writes_file():
    """Writes to a file that its input names, hidden in a branch of a function: to be refused."""

    @tf.function
    def hidden(path):
        if tf.strings.length(path) > 3:
            tf.io.write_file(path, "quack")
        return tf.strings.length(path)

    @tf.function(input_signature=[spec([None], tf.string, "path")])
    def serve(path):
        return {"length": tf.map_fn(hidden, path, fn_output_signature=tf.int32)}

    save("writes_file", Module(), serve)


@model
def table_host_file():
    """A table filled from a file of the host, not from an asset: to be refused."""
    v1 = tf.compat.v1
    folder = os.path.join(HERE, "table_host_file")
    shutil.rmtree(folder, ignore_errors=True)
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.string, [None], name="x")
        table = v1.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64, shared_name="t")
        init = v1.raw_ops.InitializeTableFromTextFileV2(
            table_handle=table, filename=tf.constant("/etc/hostname"), key_index=-2, value_index=-1, vocab_size=-1, delimiter="\t")
        y = tf.raw_ops.LookupTableFindV2(table_handle=table, keys=x, default_value=tf.constant(-1, tf.int64))
        y.set_shape([None])
        builder = v1.saved_model.Builder(folder)
        sig = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": sig}, main_op=init)
        builder.save()
    shutil.rmtree(os.path.join(folder, "variables"), ignore_errors=True)


@model
def transformer_like():
    """Two attention layers over tokens padded to the longest text of a batch: a long text makes its whole batch slow."""
    width, layers = 64, 2
    v = {"table": weights("tl", 512, width, scale=0.5)}
    for i in range(layers):
        for n in "qkvo":
            v[f"{n}{i}"] = weights(f"tl{n}{i}", width, width, scale=width**-0.5)
        v[f"up{i}"] = weights(f"tlu{i}", width, 2 * width, scale=width**-0.5)
        v[f"down{i}"] = weights(f"tld{i}", 2 * width, width, scale=width**-0.5)
    # float16 on disk keeps the model small
    m = Module(**{k: tf.Variable(tf.cast(t, tf.float16)) for k, t in v.items()})

    @tf.function(input_signature=[spec([None], tf.string, "text")])
    def serve(text):
        w = lambda k: tf.cast(getattr(m, k), tf.float32)  # noqa: E731
        tokens = tf.strings.split(tf.strings.regex_replace(tf.strings.lower(text), r"[^\pL\pN]+", " "))
        ids = tf.ragged.map_flat_values(tf.strings.to_hash_bucket_fast, tokens, 512)
        lengths = tf.maximum(ids.row_lengths(), 1)
        x = tf.gather(w("table"), ids.to_tensor(0))
        x = tf.cond(tf.shape(x)[1] > 0, lambda: x, lambda: tf.zeros([tf.shape(x)[0], 1, width]))
        n = tf.shape(x)[1]
        mask = tf.sequence_mask(lengths, n)
        bias = tf.where(mask[:, None, :], 0.0, -1e9)
        for i in range(layers):
            q, k, val = (tf.einsum("bnd,de->bne", x, w(f"{c}{i}")) for c in "qkv")
            a = tf.nn.softmax(tf.einsum("bnd,bmd->bnm", q, k) / math.sqrt(width) + bias)
            x = norm(x + tf.einsum("bnm,bmd,de->bne", a, val, w(f"o{i}")))
            x = norm(x + tf.nn.relu(x @ w(f"up{i}")) @ w(f"down{i}"))
        pooled = tf.reduce_sum(tf.where(mask[:, :, None], x, 0.0), 1) / tf.cast(lengths, tf.float32)[:, None]
        return {"embedding": tf.math.l2_normalize(pooled, 1)}

    save("transformer_like", m, serve, [{"text": ["a duck", "", "one two three four five six seven eight", "Ente", "a duck"]}, {"text": ["a duck"]}])


@model
def bert_like():
    """A transformer whose pooled output is 768 wide, as BERT's: for the remote endpoint of the embedding tutorial."""
    width, heads, layers, out = 64, 4, 2, 768
    v = {"table": weights("bl", 1024, width, scale=0.5), "position": weights("blp", 128, width, scale=0.1), "pool": weights("blo", width, out, scale=width**-0.5)}
    for i in range(layers):
        for n in "qkvo":
            v[f"{n}{i}"] = weights(f"bl{n}{i}", width, width, scale=width**-0.5)
        v[f"up{i}"] = weights(f"blu{i}", width, 4 * width, scale=width**-0.5)
        v[f"down{i}"] = weights(f"bld{i}", 4 * width, width, scale=(4 * width) ** -0.5)
    m = Module(**{k: tf.Variable(tf.cast(t, tf.float16)) for k, t in v.items()})  # float16 on disk keeps the model small

    @tf.function(input_signature=[spec([None], tf.string, "content")])
    def serve(content):
        w = lambda k: tf.cast(getattr(m, k), tf.float32)  # noqa: E731
        tokens = tf.strings.split(tf.strings.regex_replace(tf.strings.lower(content), r"[^\pL\pN]+", " "))[:, :127]
        ids = tf.ragged.map_flat_values(lambda t: 1 + tf.strings.to_hash_bucket_fast(t, 1023), tokens).to_tensor(0)
        ids = tf.concat([tf.zeros([tf.shape(content)[0], 1], tf.int64), ids], 1)  # a first token for the whole text, as [CLS]
        lengths, n = tokens.row_lengths() + 1, tf.shape(ids)[1]
        bias = tf.where(tf.sequence_mask(lengths, n)[:, None, None, :], 0.0, -1e9)
        split = lambda t: tf.reshape(t, [-1, n, heads, width // heads])  # noqa: E731
        x = norm(tf.gather(w("table"), ids) + w("position")[:n])
        for i in range(layers):
            q, k, val = (split(x @ w(f"{c}{i}")) for c in "qkv")
            a = tf.nn.softmax(tf.einsum("bnhd,bmhd->bhnm", q, k) / math.sqrt(width // heads) + bias)
            x = norm(x + tf.reshape(tf.einsum("bhnm,bmhd->bnhd", a, val), [-1, n, width]) @ w(f"o{i}"))
            x = norm(x + tf.nn.gelu(x @ w(f"up{i}")) @ w(f"down{i}"))
        return {"embedding": tf.tanh(x[:, 0] @ w("pool"))}

    texts = ["Isabelle Huppert must be one of the greatest actresses of her generation.", "", "A duck."]
    save("bert_like", m, serve, [{"content": texts}])


def norm(x):
    mean, variance = tf.nn.moments(x, [-1], keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + 1e-6)


@model
def multi_signature():
    """Two graphs, [serve] and [serve, gpu]; the first has three signatures, none of them named serving_default."""
    v1 = tf.compat.v1
    folder = os.path.join(HERE, "multi_signature")
    shutil.rmtree(folder, ignore_errors=True)

    def graph(factor):
        x = v1.placeholder(tf.float32, [None], name="x")
        w = v1.get_variable("w", initializer=tf.constant(factor))
        return x, w

    sig = v1.saved_model.predict_signature_def
    builder = v1.saved_model.Builder(folder)
    with tf.Graph().as_default(), v1.Session() as session:
        x, w = graph(2.0)
        session.run(v1.global_variables_initializer())
        builder.add_meta_graph_and_variables(session, ["serve"], {
            "times": sig({"x": x}, {"y": x * w}), "plus": sig({"x": x}, {"y": x + w}), "both": sig({"x": x}, {"plus": x + w, "times": x * w}),
        })
    with tf.Graph().as_default(), v1.Session() as session:
        x, w = graph(3.0)
        builder.add_meta_graph(["serve", "gpu"], {"minus": sig({"x": x}, {"y": x - w})})
    builder.save()
    expect("multi_signature", folder, [(s, {"x": [0.0, 1.0, -2.5]}) for s in ["both", "plus", "times"]])


@model
def odd_signatures():
    """Signatures as hand-written exporters make them: an output that is an input, inputs with a default, outputs and
    inputs whose first dimension is not the rows'. TensorFlow's session gives the answers, without the inputs that have
    a default."""
    v1 = tf.compat.v1
    folder = os.path.join(HERE, "odd_signatures")
    shutil.rmtree(folder, ignore_errors=True)
    info = v1.saved_model.build_tensor_info
    with tf.Graph().as_default(), v1.Session() as session:
        word = v1.placeholder(tf.string, [None], name="word")
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        flat = v1.placeholder(tf.float32, [None], name="flat")
        keep = v1.placeholder_with_default(2.0, [], name="keep")
        scale = v1.placeholder_with_default([10.0, 100.0], [2], name="scale")
        any_rank = v1.placeholder_with_default(3.0, None, name="any_rank")
        bare = v1.placeholder(tf.float32, [], name="bare")
        pair = v1.placeholder(tf.float32, [2], name="pair")
        signatures = {
            "passes": ({"word": word}, {"same": word, "n": tf.strings.length(word)}),
            "only_passes": ({"x": x}, {"y": x}),
            "keep": ({"x": x, "keep": keep}, {"y": x * keep}),
            "scaled": ({"x": x, "scale": scale}, {"y": x * scale}),
            "any_rank": ({"x": x, "any_rank": any_rank}, {"y": tf.ensure_shape(x * any_rank, [None, 2])}),
            "passes_default": ({"x": x, "keep": keep}, {"y": x * keep, "keep": keep}),
            "fixed": ({"flat": flat}, {"y": flat + 1.0, "three": tf.constant([1.0, 2.0, 3.0]), "sum": tf.reduce_sum(flat)}),
            "only_fixed": ({"flat": flat}, {"three": tf.constant([1.0, 2.0, 3.0])}),
            "unique": ({"flat": flat}, {"y": flat + 1.0, "values": tf.unique(flat).y}),
            "only_unique": ({"flat": flat}, {"values": tf.unique(flat).y}),
            "no_inputs": ({}, {"v": tf.constant([1.0, 2.0])}),
            "only_default": ({"keep": keep}, {"y": keep + 1.0}),
            "bare": ({"x": x, "bare": bare}, {"y": x * bare}),
            "mixed": ({"x": x, "pair": pair}, {"y": x * pair}),
            "twice": ({"a": flat, "b": flat}, {"y": flat + 1.0}),
        }
        builder = v1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(session, ["serve"], {
            name: v1.saved_model.build_signature_def({k: info(t) for k, t in i.items()}, {k: info(t) for k, t in o.items()}, "tensorflow/serving/predict")
            for name, (i, o) in signatures.items()
        })
        builder.save()
        rows = [[1.0, 2.0], [0.5, -4.0], [0.0, 7.0]]
        given = {"passes": {"word": ["duck", "", "鸭子"]}} | {name: {"x": rows} for name in ["only_passes", "keep", "scaled", "any_rank"]}
        answers = {name: session.run(signatures[name][1], {signatures[name][0][k]: v for k, v in feed.items()}) for name, feed in given.items()}
    out = [{
        "signature": name,
        "inputs": {k: tensor(tf.constant(v, signatures[name][0][k].dtype)) for k, v in feed.items()},
        "outputs": {k: tensor(tf.constant(v)) for k, v in sorted(answers[name].items())},
    } for name, feed in given.items()]
    with open(folder + ".json", "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=False, indent=1)
        f.write("\n")


@model
def no_signature():
    """A model saved without a signature."""
    m = Module(w=tf.Variable(1.0))
    save("no_signature", m, None)


def conv(x, w, stride=1):
    return tf.nn.conv2d(x, w, stride, "SAME")


def kernel(name, size, of, to):
    return tf.Variable(weights(name, size, size, of, to, scale=(2 / (size * size * of)) ** 0.5))


@model
def resnet_like():
    """The shape of the ResNet tutorial: input_1 [None, 224, 224, 3] float32 -> activation_49 [None, 7, 7, 4], residual
    blocks that end in a ReLU. Its input would fill megabytes of JSON: testdata/images/expected.json has its answers."""
    m = Module(stem=kernel("rn0", 5, 3, 8), b0=tf.Variable(weights("rn1", 8, scale=0.1)), one=kernel("rn2", 3, 8, 8), two=kernel("rn3", 3, 8, 8),
               three=kernel("rn4", 3, 8, 4), four=kernel("rn5", 3, 4, 4), short=kernel("rn6", 1, 8, 4), b1=tf.Variable(weights("rn7", 4, scale=0.1)))

    @tf.function(input_signature=[spec([None, 224, 224, 3], name="input_1")])
    def serve(input_1):
        x = tf.nn.relu(conv(input_1 - 0.45, m.stem, 4) + m.b0)
        x = tf.nn.max_pool2d(x, 3, 4, "SAME")
        x = tf.nn.relu(x + conv(tf.nn.relu(conv(x, m.one)), m.two))
        x = tf.nn.relu(conv(x, m.short, 2) + conv(tf.nn.relu(conv(x, m.three, 2)), m.four) + m.b1)
        return {"activation_49": x}

    save("resnet_like", m, serve)


@model
def mobilenet_like():
    """The shape of the MobileNet tutorial for images of any size and of whole numbers: inputs [None, None, None, 3] uint8 ->
    feature_vector [None, 8]."""
    m = Module(stem=kernel("mn0", 3, 3, 8), up=kernel("mn1", 1, 8, 16), down=kernel("mn2", 1, 16, 8))

    @tf.function(input_signature=[spec([None, None, None, 3], tf.uint8, "inputs")])
    def serve(inputs):
        x = tf.nn.relu6(conv(tf.cast(inputs, tf.float32) / 127.5 - 1.0, m.stem, 2))
        x = x + conv(tf.nn.relu6(conv(x, m.up)), m.down)
        return {"feature_vector": tf.reduce_mean(x, [1, 2])}

    rng = np.random.default_rng(8)
    save("mobilenet_like", m, serve, [{"inputs": rng.integers(0, 256, s)} for s in ([2, 5, 7, 3], [1, 1, 1, 3])])


@model
def encoded_images():
    """Files of images in, decoded by the graph: image_bytes [None] string -> scores [None, 5]."""
    m = Module(stem=kernel("ei0", 3, 3, 8), w=tf.Variable(weights("ei1", 8, 5)))

    @tf.function(input_signature=[spec([None], tf.string, "image_bytes")])
    def serve(image_bytes):
        def one(b):
            return tf.image.resize(tf.cast(tf.io.decode_jpeg(b, channels=3), tf.float32) / 255.0, [32, 32])

        x = tf.map_fn(one, image_bytes, fn_output_signature=tf.TensorSpec([32, 32, 3], tf.float32))
        return {"scores": tf.nn.softmax(tf.reduce_mean(tf.nn.relu(conv(x, m.stem, 2)), [1, 2]) @ m.w)}

    folder = os.path.join(HERE, "..", "..", "functions", "image", "testdata")
    files = [open(os.path.join(folder, f), "rb").read() for f in ("photo420.jpg", "progressive.jpg", "photo.png")]
    save("encoded_images", m, serve, [{"image_bytes": files}])


def main():
    names = sys.argv[1:] or sorted(MODELS)
    for name in names:
        MODELS[name]()
        size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(os.path.join(HERE, name)) for f in fs)
        print(f"{name:20} {size:8,} bytes")


if __name__ == "__main__":
    main()
