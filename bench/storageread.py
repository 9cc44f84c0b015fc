"""A result of 5 million rows by Storage Read in Google's Python client, against duckdb in Python, in turns of one run:

    bin/mallard serve -- python bench/storageread.py [ROWS]

It wants google-cloud-bigquery, google-cloud-bigquery-storage, pandas, pyarrow, db-dtypes and duckdb. Both sides hold the same table in memory and end
with the same DataFrame. Shown are medians, what the client's process takes in memory at most, and how the server's grows meanwhile.
"""

import os
import resource
import statistics
import sys
import time

import duckdb
from google.cloud import bigquery

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
rounds = 5

client = bigquery.Client()
client.create_dataset("bench", exists_ok=True)
made = client.query(f"""CREATE OR REPLACE TABLE bench.big AS
  SELECT i, i / 7 AS f, CONCAT('text ', CAST(i AS STRING)) AS s, TIMESTAMP_SECONDS(i) AS ts
  FROM (SELECT x + 1000 * y AS i FROM UNNEST(GENERATE_ARRAY(0, 999)) AS x, UNNEST(GENERATE_ARRAY(0, {rows // 1000 - 1})) AS y)""")
made.result()
job = client.query("SELECT * FROM bench.big")
job.result()

db = duckdb.connect()
db.execute(f"CREATE TABLE big AS SELECT i, i / 7 AS f, 'text ' || i AS s, TIMESTAMPTZ '1970-01-01 00:00:00+00' + to_seconds(i) AS ts FROM range({rows}) t(i)")


def server_mb():
    """What the server's process has in memory, where the system tells; it is this one's parent."""
    try:
        with open(f"/proc/{os.getppid()}/status") as f:
            return next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmRSS"))
    except OSError:
        return 0


ways = {
    "duckdb, Arrow, pandas": lambda: db.sql("SELECT * FROM big").to_arrow_table().to_pandas(),
    "the result of a query": lambda: job.to_dataframe(),
    "a table": lambda: client.list_rows("bench.big").to_dataframe(),
}
before = server_mb()
largest = before
taken = {name: [] for name in ways}
for _ in range(rounds):
    for name, way in ways.items():
        start = time.perf_counter()
        frame = way()
        taken[name].append(time.perf_counter() - start)
        assert len(frame) == rows and frame["i"].sum() == rows * (rows - 1) // 2, name
        del frame
        largest = max(largest, server_mb())
base = statistics.median(taken["duckdb, Arrow, pandas"])
for name, times in taken.items():
    median = statistics.median(times)
    print(f"{name:24} {median:6.2f} s  {base / median:4.2f} of duckdb's speed")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"client's memory at most {peak} MB, the server's {before} MB before and {largest} MB at most")
