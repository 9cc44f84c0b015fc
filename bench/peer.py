"""The peer: DuckDB and TensorFlow in Python, as one writes it there. Arrow batches out of DuckDB, numpy, the model, an
Arrow table back into DuckDB. Reads one request a line on stdin, answers one line of JSON on stdout."""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if sys.argv[1:2] == ["first"]:
    # A whole process, from nothing to its first row.
    import duckdb
    import tensorflow as tf

    model = tf.saved_model.load(sys.argv[2]).signatures["serving_default"]
    con = duckdb.connect()
    rows = con.execute("SELECT ? AS input", [sys.argv[3]]).fetchall()
    out = model(input=tf.constant([r[0] for r in rows]))["dense_1"].numpy()
    print(out[0].tolist(), flush=True)
    os._exit(0)

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pyarrow as pa
import tensorflow as tf

data, models = sys.argv[1], sys.argv[2]
con = duckdb.connect()
con.execute(f"ATTACH '{data}' AS data (READ_ONLY)")
tables, loaded = set(), {}


def model(name, xla):
    if (name, xla) not in loaded:
        m = tf.saved_model.load(os.path.join(models, name))
        f = m.signatures["serving_default"]
        loaded[name, xla] = (m, tf.function(lambda **x: f(**x), jit_compile=True) if xla else f)
    return loaded[name, xla][1]


def run(name, table, columns, output, batch, workers, mode, xla, sort):
    f = model(name, xla)
    if table not in tables:
        con.execute(f"CREATE TABLE {table} AS FROM data.{table}")
        tables.add(table)
    begin, before = time.perf_counter(), time.process_time()
    keep = ["id"] if mode == "ctas" else []
    order = f" ORDER BY length({columns[0]})" if sort else ""
    reader = con.execute(f"SELECT {', '.join(keep + columns)} FROM {table}{order}").fetch_record_batch(batch)

    def predict(rows):
        inputs = {c: tf.constant(rows.column(c).to_numpy(zero_copy_only=False)) for c in columns}
        out = f(**inputs)[output].numpy()
        arrays = [rows.column(c) for c in keep]
        arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(out.reshape(-1)), out.shape[1]))
        return pa.RecordBatch.from_arrays(arrays, keep + [output])

    if workers == 1:
        batches = [predict(rows) for rows in reader]
    else:
        with ThreadPoolExecutor(workers) as pool:
            batches = list(pool.map(predict, reader))
    con.register("predicted", pa.Table.from_batches(batches))
    if mode == "ctas":
        con.execute(f"CREATE OR REPLACE TABLE kept AS SELECT id, {output} FROM predicted")
        rows = None
    elif mode == "sum":
        rows = con.execute(f"SELECT sum(list_sum({output}::DOUBLE[])) FROM predicted").fetchone()[0]
    else:
        rows = con.execute(f"SELECT count({output}) FROM predicted").fetchone()[0]
    seconds, cpu = time.perf_counter() - begin, time.process_time() - before
    con.unregister("predicted")
    con.execute("DROP TABLE IF EXISTS kept")
    return {"seconds": seconds, "cpu": cpu, "value": rows}


for line in sys.stdin:
    try:
        answer = run(**json.loads(line))
    except Exception as e:
        answer = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(answer), flush=True)
