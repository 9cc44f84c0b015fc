"""The DataFrames tab of the tutorial "Make predictions with imported TensorFlow models": strict ordering, or partial with the argument partial."""

import os
import sys

import bigframes
import bigframes.pandas as bpd

bpd.options.bigquery.project = os.environ.get("GOOGLE_CLOUD_PROJECT", "test-project")
bpd.options.bigquery.location = "US"
if sys.argv[1:] == ["partial"]:
    bpd.options.bigquery.ordering_mode = "partial"

from bigframes.ml.imported import TensorFlowModel

imported_tensorflow_model = TensorFlowModel(
    model_path="gs://cloud-training-demos/txtclass/export/exporter/1549825580/*"
)

df = bpd.read_gbq("bigquery-public-data.hacker_news.full")
df_pred = df.rename(columns={"title": "input"})
predictions = imported_tensorflow_model.predict(df_pred)
# A frame without an order has no head: the client says so by itself.
five = predictions.peek(5) if sys.argv[1:] == ["partial"] else predictions.head(5)
print(five[["dense_1", "input"]])
assert len(five) == 5 and len(five["dense_1"].iloc[0]) == 3, five
print("ordering:", bpd.options.bigquery.ordering_mode)
