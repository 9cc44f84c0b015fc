"""Writes SavedModels with the signatures of NNLM, SWIVEL and BERT, as bigquery-ml-utils' TextEmbeddingModelGenerator does, for trying the tutorial
"Generate embeddings with TensorFlow models" where TensorFlow Hub is out of reach: content STRING -> embedding of 50, 20 or 768 numbers. Their weights
come from a fixed seed: the embeddings tell equal words, and no meaning.

    pip install tensorflow-cpu==2.21.0
    python text_embedding_models.py nnlm OUTPUT_MODEL_PATH
"""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf  # noqa: E402

WIDTHS = {"nnlm": 50, "swivel": 20, "bert": 768}
WORDS = 4096


class TextEmbedding(tf.Module):
    """The mean of the vectors of a text's words; words share vectors by their hash."""

    def __init__(self, width):
        super().__init__()
        self.table = tf.Variable(tf.random.stateless_normal([WORDS, width], seed=[1, width]))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "content")])
    def embed(self, content):
        words = tf.strings.split(tf.strings.lower(content))
        rows = tf.gather(self.table, tf.strings.to_hash_bucket_fast(words.flat_values, WORDS))
        total = tf.math.unsorted_segment_sum(rows, words.value_rowids(), words.nrows())
        return {"embedding": tf.math.divide_no_nan(total, tf.cast(words.row_lengths(), tf.float32)[:, None])}


class TextEmbeddingModelGenerator:
    """Takes the place of bigquery_ml_utils.model_generator.TextEmbeddingModelGenerator."""

    def generate_text_embedding_model(self, kind, path):
        model = TextEmbedding(WIDTHS[kind])
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(model, path, signatures=model.embed, options=options)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in WIDTHS:
        sys.exit(f"write {sys.argv[0]} nnlm|swivel|bert FOLDER")
    TextEmbeddingModelGenerator().generate_text_embedding_model(sys.argv[1], sys.argv[2])
    print(tf.saved_model.load(sys.argv[2]).signatures["serving_default"])
