"""The Python tab of the tutorial "Make predictions with imported TensorFlow models", and the statements of its console."""

from google.cloud import bigquery

bqclient = bigquery.Client()
bqclient.create_dataset("bqml_tutorial", exists_ok=True)

bqclient.query_and_wait(
    """
    CREATE OR REPLACE MODEL `bqml_tutorial.imported_tf_model`
    OPTIONS (MODEL_TYPE='TENSORFLOW',
      MODEL_PATH='gs://cloud-training-demos/txtclass/export/exporter/1549825580/*')
    """
)
rows = bqclient.query_and_wait(
    """
    SELECT *
      FROM ML.PREDICT(MODEL `bqml_tutorial.imported_tf_model`,
        (
         SELECT title AS input
         FROM bigquery-public-data.hacker_news.full
        )
    )
    """
)
n = 0
for row in rows:
    n += 1
    if n <= 5:
        print(row["dense_1"], row["input"])
assert n == 1000 and [f.name for f in rows.schema] == ["dense_1", "input"], (n, rows.schema)
assert [(t.table_id, t.table_type) for t in bqclient.list_tables("bqml_tutorial")] == [("imported_tf_model", "MODEL")]
print("1000 titles were classified")
