"""Writes the models that the benchmark measures into bench/models (tensorflow-cpu 2.21.0; `python3 bench/models.py`).

They are untrained: what counts is what they cost. Weights are constants in the graph, from a fixed seed.
"""

import os
import shutil
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
rng = np.random.default_rng(20240611)


def weights(*shape):
    return tf.constant(rng.normal(0, 0.1, shape).astype(np.float32))


def save(name, signature, inputs, **resources):
    """Saves a function whose weights are constants: there is nothing to restore, but for tables to fill."""
    module = tf.Module()
    for key, value in resources.items():
        setattr(module, key, value)
    module.f = tf.function(signature, input_signature=inputs)
    path = os.path.join(OUT, name)
    shutil.rmtree(path, ignore_errors=True)
    tf.saved_model.save(module, path, signatures={"serving_default": module.f})
    trim(path)


def trim(path):
    """Leaves saved_model.pb alone where no variables are: the rest is empty or differs from run to run."""
    shutil.rmtree(os.path.join(path, "assets"), ignore_errors=True)
    for f in ("fingerprint.pb",):
        if os.path.exists(os.path.join(path, f)):
            os.remove(os.path.join(path, f))


def bag(text, table, buckets):
    """The words' vectors, as nnlm and swivel get them: lower-case, split at blanks, hash, look up."""
    words = tf.strings.split(tf.strings.lower(text))
    ids = tf.strings.to_hash_bucket_fast(words.values, buckets)
    return tf.RaggedTensor.from_row_splits(tf.gather(table, ids), words.row_splits, validate=False)


def text_classifier(words=1000, longest=12):
    """One title to three classes, made of what Keras's TextVectorization, Embedding and Dense layers leave in a graph:
    lower-case, drop punctuation, split, look up in a table of known words, pad, embed, average, two dense layers."""
    known = tf.constant([f"word{i}" for i in range(words)])
    ids = tf.range(words, dtype=tf.int64)
    table = tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(known, ids), num_oov_buckets=words)
    vectors, w1, b1, w2, b2 = weights(2 * words, 8), weights(8, 16), weights(16), weights(16, 3), weights(3)

    def f(input):
        text = tf.strings.regex_replace(tf.strings.lower(input), r"[!-/:-@\[-`{-~]", "")
        split = tf.strings.split(text)[:, :longest]
        ids = tf.RaggedTensor.from_row_splits(table.lookup(split.values), split.row_splits, validate=False).to_tensor(-1)
        here = tf.cast(ids >= 0, tf.float32)
        x = tf.gather(vectors, tf.maximum(ids, 0)) * here[:, :, None]
        x = tf.reduce_sum(x, axis=1) / tf.maximum(tf.reduce_sum(here, axis=1, keepdims=True), 1)
        x = tf.nn.relu(x @ w1 + b1)
        return {"dense_1": tf.nn.softmax(x @ w2 + b2)}

    save("text_classifier", f, [tf.TensorSpec([None], tf.string, name="input")], table=table)


def word_embedding():
    """A title to fifty numbers: the shape of nnlm-en-dim50."""
    table = weights(1000, 50)

    def f(text):
        return {"embedding": tf.reduce_sum(bag(text, table, 1000), axis=1)}

    save("word_embedding", f, [tf.TensorSpec([None], tf.string, name="text")])


def perceptron():
    """Four columns to three classes: the flowers of every tutorial."""
    w1, b1, w2, b2 = weights(4, 16), weights(16), weights(16, 3), weights(3)

    def f(sepal_length, sepal_width, petal_length, petal_width):
        x = tf.stack([sepal_length, sepal_width, petal_length, petal_width], axis=1)
        x = tf.nn.relu(x @ w1 + b1)
        return {"probabilities": tf.nn.softmax(x @ w2 + b2)}

    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    save("perceptron", f, [tf.TensorSpec([None], tf.float32, name=n) for n in names])


def slow():
    """About a millisecond a row of 2 kB, whatever the batch, on one thread: the kernel walks its rows in turn. (Regular
    expressions would do as well, but RE2 locks its cache, so that two threads hinder each other.)"""

    def there_and_back(i, text):
        wide = tf.strings.unicode_transcode(text, "UTF-8", "UTF-16-BE")
        return i + 1, tf.strings.unicode_transcode(wide, "UTF-16-BE", "UTF-8")

    def f(text):
        _, same = tf.while_loop(lambda i, _: i < 10, there_and_back, [tf.constant(0), text], parallel_iterations=1)
        return {"score": tf.cast(tf.strings.to_hash_bucket_fast(same, 1 << 20), tf.float32)}

    save("slow", f, [tf.TensorSpec([None], tf.string, name="text")])


def transformer(width=192, layers=6, heads=4, longest=128, buckets=1000, rank=8):
    """A sentence encoder of six layers that pads its batch to the longest text, as they all do.

    The layers share their weights (as in ALBERT), and each matrix is the product of two thin ones, multiplied out once
    per run, which costs little beside the rest and keeps the file small.
    """

    def thin(rows, columns):
        return weights(rows, rank), weights(rank, columns)

    table, places = thin(buckets, width), thin(longest, width)
    names = {"q": (width, width), "k": (width, width), "v": (width, width), "o": (width, width),
             "up": (width, 4 * width), "down": (4 * width, width)}
    factors = {name: thin(*shape) for name, shape in names.items()}
    size = width // heads

    def norm(x):
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + 1e-6)

    def f(text):
        words = tf.strings.split(tf.strings.lower(text))[:, :longest]
        ids = tf.strings.to_hash_bucket_fast(words.to_tensor(""), buckets)
        batch, length = tf.shape(ids)[0], tf.shape(ids)[1]
        here = tf.sequence_mask(words.row_lengths(), length, dtype=tf.float32)
        hide = (here[:, None, None, :] - 1) * 1e9
        full = {name: a @ b for name, (a, b) in factors.items()}
        x = norm(tf.gather(table[0] @ table[1], ids) + (places[0] @ places[1])[:length])

        def dense(x, name):
            n = full[name].shape[1]
            return tf.reshape(tf.reshape(x, [-1, x.shape[-1]]) @ full[name], [batch, length, n])

        def split(x):
            return tf.transpose(tf.reshape(x, [batch, length, heads, size]), [0, 2, 1, 3])

        for _ in range(layers):
            q, k, v = (split(dense(x, name)) for name in "qkv")
            a = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / size**0.5 + hide)
            a = tf.reshape(tf.transpose(tf.matmul(a, v), [0, 2, 1, 3]), [batch, length, width])
            x = norm(x + dense(a, "o"))
            x = norm(x + dense(tf.nn.gelu(dense(x, "up"), approximate=True), "down"))
        mean = tf.reduce_sum(x * here[:, :, None], 1) / tf.maximum(tf.reduce_sum(here, 1), 1)[:, None]
        return {"embedding": tf.nn.l2_normalize(mean, axis=1)}

    save("transformer", f, [tf.TensorSpec([None], tf.string, name="text")])


for make in (text_classifier, word_embedding, perceptron, slow, transformer):
    make()
    print(make.__name__)
