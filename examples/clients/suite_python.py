"""google-cloud-bigquery: a call for each thing that the client can ask. The argument rest keeps it from the Storage Read API."""

import datetime
import decimal
import io
import os
import sys
import uuid

from google.cloud import bigquery, storage

REST = sys.argv[1:] == ["rest"]
PROJECT = os.environ.get("GOOGLE_CLOUD_PROJECT", "test-project")
from suite import Suite

s = Suite("python over REST" if REST else "python")
c = bigquery.Client()
name = "suite_" + ("rest" if REST else "all")
frame = {"create_bqstorage_client": False} if REST else {}
c.delete_dataset(name, delete_contents=True, not_found_ok=True)


def query(text, **config):
    return c.query(text, job_config=bigquery.QueryJobConfig(**config)) if config else c.query(text)


def rows(text, **config):
    return [tuple(r.values()) for r in query(text, **config).result()]


# Datasets
s.check("project", lambda: c.project, PROJECT)
ds = bigquery.Dataset(f"{PROJECT}.{name}")
ds.location, ds.description, ds.labels = "US", "of the suite", {"kind": "test"}
s.check("create_dataset", lambda: c.create_dataset(ds).dataset_id, name)
s.fails("create_dataset again", lambda: c.create_dataset(ds), "Conflict", "Already Exists")
s.check("create_dataset, exists_ok", lambda: c.create_dataset(ds, exists_ok=True).dataset_id, name)
s.check("get_dataset", lambda: (lambda d: (d.description, d.labels, d.location))(c.get_dataset(name)), ("of the suite", {"kind": "test"}, "US"))
s.check("list_datasets", lambda: [d.dataset_id for d in c.list_datasets()], lambda l: name in l and not any(d.startswith("_") for d in l))
s.check("list_datasets by label", lambda: [d.dataset_id for d in c.list_datasets(filter="labels.kind:test")], lambda l: name in l)


def relabelled():
    d = c.get_dataset(name)
    d.description, d.labels = "changed", {"kind": "test", "more": "yes"}
    c.update_dataset(d, ["description", "labels"])
    d = c.get_dataset(name)
    return d.description, d.labels


s.check("update_dataset", relabelled, ("changed", {"kind": "test", "more": "yes"}))
s.fails("get_dataset, none", lambda: c.get_dataset("nowhere"), "NotFound", "nowhere")
s.check("list_projects", lambda: [p.project_id for p in c.list_projects()], lambda l: PROJECT in l)

# Tables
schema = [
    bigquery.SchemaField("id", "INT64", mode="REQUIRED", description="key"),
    bigquery.SchemaField("name", "STRING"),
    bigquery.SchemaField("tags", "STRING", mode="REPEATED"),
    bigquery.SchemaField("at", "RECORD", fields=[bigquery.SchemaField("x", "FLOAT64"), bigquery.SchemaField("y", "FLOAT64")]),
]
people = bigquery.Table(f"{PROJECT}.{name}.people", schema=schema)
people.description, people.labels = "some people", {"a": "b"}
s.check("create_table", lambda: c.create_table(people).table_id, "people")
s.fails("create_table again", lambda: c.create_table(people), "Conflict", "Already Exists")
s.check("create_table, exists_ok", lambda: c.create_table(people, exists_ok=True).table_id, "people")
s.check("get_table", lambda: [(f.name, f.field_type, f.mode) for f in c.get_table(people).schema],
        [("id", "INTEGER", "REQUIRED"), ("name", "STRING", "NULLABLE"), ("tags", "STRING", "REPEATED"), ("at", "RECORD", "NULLABLE")])
s.check("get_table, what it says of itself", lambda: (lambda t: (t.description, t.labels, t.table_type, t.num_rows))(c.get_table(people)),
        ("some people", {"a": "b"}, "TABLE", 0))
s.check("insert_rows_json", lambda: c.insert_rows_json(people, [{"id": 1, "name": "Ä", "tags": ["x", "y"], "at": {"x": 1.5, "y": 2}}, {"id": 2}]), [])
s.check("insert_rows", lambda: c.insert_rows(c.get_table(people), [(3, "c", [], None)]), [])
s.check("insert_rows_json, a wrong row", lambda: c.insert_rows_json(people, [{"id": "no number"}]), lambda e: len(e) == 1 and e[0]["index"] == 0)
s.check("list_rows", lambda: sorted(tuple(r.values()) for r in c.list_rows(people)),
        [(1, "Ä", ["x", "y"], {"x": 1.5, "y": 2.0}), (2, None, [], None), (3, "c", [], None)])
s.check("list_rows, some columns", lambda: sorted(tuple(r.values()) for r in c.list_rows(people, selected_fields=[schema[0]])), [(1,), (2,), (3,)])
s.check("list_rows, from the second", lambda: len(list(c.list_rows(people, start_index=1, max_results=1))), 1)
s.check("list_rows by pages", lambda: [len(list(p)) for p in c.list_rows(people, page_size=2).pages], [2, 1])


def widened():
    t = c.get_table(people)
    t.schema = list(t.schema) + [bigquery.SchemaField("extra", "STRING")]
    c.update_table(t, ["schema"])
    return [f.name for f in c.get_table(people).schema]


s.check("update_table, another column", widened, ["id", "name", "tags", "at", "extra"])


def described():
    t = c.get_table(people)
    t.description, t.expires = "changed", datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
    c.update_table(t, ["description", "expires"])
    t = c.get_table(people)
    return t.description, t.expires.year


s.check("update_table, description and expiration", described, ("changed", 2099))
view = bigquery.Table(f"{PROJECT}.{name}.names")
view.view_query = f"SELECT name FROM `{PROJECT}.{name}.people` WHERE name IS NOT NULL"
s.check("create_table, a view", lambda: c.create_table(view).table_type, "VIEW")
s.check("get_table, a view", lambda: c.get_table(view).view_query, lambda q: "name" in q)
s.check("a view's rows", lambda: sorted(rows(f"SELECT * FROM {name}.names")), [("c",), ("Ä",)])
s.check("list_tables", lambda: sorted((t.table_id, t.table_type) for t in c.list_tables(name)), [("names", "VIEW"), ("people", "TABLE")])
s.fails("get_table, none", lambda: c.get_table(f"{name}.nothing"), "NotFound", "nothing")

# Queries
s.check("query", lambda: rows("SELECT 1 AS x, 'a' AS y, [1, 2] AS z"), [(1, "a", [1, 2])])
s.check("query_and_wait", lambda: [tuple(r.values()) for r in c.query_and_wait("SELECT 1 AS x UNION ALL SELECT 2 ORDER BY x")], [(1,), (2,)])
s.check("names of columns without one", lambda: [f.name for f in query("SELECT 1, 2 AS a, 3").result().schema], ["f0_", "a", "f1_"])
EVERY = """SELECT 9007199254740993 AS i, 0.1 AS f, TRUE AS b, 'ü' AS s, b'\\x00\\xff' AS bs, NUMERIC '12345678901234567890.123456789' AS n,
  BIGNUMERIC '0.000000000000000001' AS bn, DATE '2024-02-29' AS d, TIME '12:34:56.789' AS t, DATETIME '2024-02-29 12:34:56' AS dt,
  TIMESTAMP '2024-02-29 12:34:56.123456+00' AS ts, JSON '{"a": [1, null]}' AS j, STRUCT(1 AS x, [STRUCT('q' AS y)] AS l) AS st,
  CAST(NULL AS STRING) AS nul, ARRAY<INT64>[] AS e, CAST('-inf' AS FLOAT64) AS inf"""
UTC = datetime.timezone.utc
s.check("every type", lambda: rows(EVERY)[0], (
    9007199254740993, 0.1, True, "ü", b"\x00\xff", decimal.Decimal("12345678901234567890.123456789"), decimal.Decimal("0.000000000000000001"),
    datetime.date(2024, 2, 29), datetime.time(12, 34, 56, 789000), datetime.datetime(2024, 2, 29, 12, 34, 56),
    datetime.datetime(2024, 2, 29, 12, 34, 56, 123456, tzinfo=UTC), {"a": [1, None]}, {"x": 1, "l": [{"y": "q"}]}, None, [], float("-inf")))
s.check("types in the schema", lambda: [f.field_type for f in query(EVERY).result().schema],
        "INTEGER FLOAT BOOLEAN STRING BYTES NUMERIC BIGNUMERIC DATE TIME DATETIME TIMESTAMP JSON RECORD STRING INTEGER FLOAT".split())
P = bigquery.ScalarQueryParameter
for kind, value in [("INT64", 5), ("FLOAT64", 0.5), ("BOOL", True), ("STRING", "it's"), ("BYTES", b"\x00a"), ("DATE", datetime.date(2020, 1, 2)),
                    ("TIME", datetime.time(1, 2, 3)), ("DATETIME", datetime.datetime(2020, 1, 2, 3, 4, 5)),
                    ("TIMESTAMP", datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)), ("NUMERIC", decimal.Decimal("1.5"))]:
    s.check("parameter " + kind, lambda: rows("SELECT @p", query_parameters=[P("p", kind, value)]), [(value,)])
s.check("parameter NULL", lambda: rows("SELECT @p", query_parameters=[P("p", "INT64", None)]), [(None,)])
s.check("positional parameters", lambda: rows("SELECT ?, ?", query_parameters=[P(None, "INT64", 1), P(None, "STRING", "b")]), [(1, "b")])
s.check("parameter ARRAY", lambda: rows("SELECT x FROM UNNEST(@p) AS x ORDER BY x", query_parameters=[bigquery.ArrayQueryParameter("p", "INT64", [2, 1])]), [(1,), (2,)])
s.check("parameter STRUCT", lambda: rows("SELECT @p.a, @p.b", query_parameters=[bigquery.StructQueryParameter("p", P("a", "INT64", 1), P("b", "STRING", "x"))]), [(1, "x")])
s.fails("a table without a dataset", lambda: query("SELECT nope FROM nowhere").result(), "BadRequest", "nowhere")
s.fails("a table that is not", lambda: query(f"SELECT nope FROM {name}.nowhere").result(), "NotFound", "nowhere")
s.fails("a wrong column", lambda: query("SELECT nope FROM (SELECT 1 AS x)").result(), "BadRequest", "nope")
s.fails("a syntax error", lambda: c.query_and_wait("SELEC 1"), "BadRequest", "Syntax error")


def dry():
    j = query(f"SELECT id FROM {name}.people", dry_run=True, use_query_cache=False)
    return j.dry_run, [f.name for f in j.schema], j.total_bytes_processed is not None


s.check("dry run", dry, (True, ["id"], True))


def destined():
    j = query("SELECT 1 AS x", destination=f"{PROJECT}.{name}.dest", write_disposition="WRITE_TRUNCATE")
    j.result()
    j = query("SELECT 2 AS x", destination=f"{PROJECT}.{name}.dest", write_disposition="WRITE_APPEND")
    j.result()
    return sorted(rows(f"SELECT x FROM {name}.dest"))


s.check("destination, truncated and appended to", destined, [(1,), (2,)])
s.fails("destination, WRITE_EMPTY", lambda: query("SELECT 3 AS x", destination=f"{PROJECT}.{name}.dest", write_disposition="WRITE_EMPTY").result(), "Conflict", "")
s.check("default dataset", lambda: rows("SELECT COUNT(*) FROM people", default_dataset=f"{PROJECT}.{name}"), [(3,)])


def statistics():
    j = query(f"CREATE OR REPLACE TABLE {name}.made AS SELECT x FROM UNNEST([1, 2, 3]) AS x")
    j.result()
    k = query(f"UPDATE {name}.made SET x = x + 1 WHERE x > 1")
    k.result()
    return j.statement_type, j.ddl_operation_performed, j.ddl_target_table.table_id, k.statement_type, k.num_dml_affected_rows


s.check("DDL and DML", statistics, ("CREATE_TABLE_AS_SELECT", "CREATE", "made", "UPDATE", 2))
s.check("MERGE", lambda: (lambda j: (j.result() and None, j.num_dml_affected_rows))(query(
    f"MERGE {name}.made t USING (SELECT 3 AS x UNION ALL SELECT 9) s ON t.x = s.x WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (x) VALUES (x)"))[1], 2)


def scripted():
    j = query("DECLARE n INT64 DEFAULT 2; SELECT 1 AS a; SELECT n AS b;")
    last = [tuple(r.values()) for r in j.result()]
    children = list(c.list_jobs(parent_job=j.job_id))
    return last, j.statement_type, j.num_child_jobs, sorted(tuple(r.values())[0] for k in children for r in k.result())


s.check("a script and its children", scripted, lambda r: r[0] == [(2,)] and r[1] == "SCRIPT" and r[3][-2:] == [1, 2])


def session():
    j = query("CREATE TEMP TABLE kept AS SELECT 7 AS x", create_session=True)
    j.result()
    again = [bigquery.ConnectionProperty("session_id", j.session_info.session_id)]
    got = rows("SELECT x FROM kept", connection_properties=again), rows("SELECT x FROM _SESSION.kept", connection_properties=again)
    rows("CALL BQ.ABORT_SESSION()", connection_properties=again)
    return got


s.check("a session", session, ([(7,)], [(7,)]))


def jobs():
    j = c.query("SELECT 1", job_id="job_" + uuid.uuid4().hex, job_config=bigquery.QueryJobConfig(labels={"of": "suite"}))
    j.result()
    k = c.get_job(j.job_id)
    return k.state, k.labels, k.statement_type, j.job_id in [x.job_id for x in c.list_jobs(max_results=20)], k.done()


s.check("get_job and list_jobs", jobs, ("DONE", {"of": "suite"}, "SELECT", True, True))
s.fails("get_job, none", lambda: c.get_job("job_that_is_not"), "NotFound", "job_that_is_not")
s.fails("the same job again", lambda: [c.query("SELECT 1", job_id="twice" + name + str(os.getpid()), job_retry=None).result() and None for _ in range(2)], "Conflict", "Already Exists")
s.check("cancel_job", lambda: c.cancel_job(query("SELECT 1").job_id).state, lambda st: st in ("DONE", "RUNNING"))
s.check("delete_job_metadata", lambda: (lambda j: (j.result() and None, c.delete_job_metadata(j))[1])(query("SELECT 1")))
s.check("result by pages", lambda: [len(list(p)) for p in query("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 25)) AS x").result(page_size=10).pages], [10, 10, 5])
s.check("no rows", lambda: rows("SELECT 1 AS x FROM (SELECT 1) WHERE FALSE"), [])
s.fails("legacy SQL", lambda: query("SELECT x FROM [a:b.c]", use_legacy_sql=True).result(), "BadRequest", "")

# Frames
import pandas as pd  # noqa: E402

s.check("to_dataframe", lambda: query("SELECT x, STRING(DATE '2024-01-01') AS y FROM UNNEST([3, 4]) AS x ORDER BY x").to_dataframe(**frame).x.tolist(), [3, 4])
s.check("to_dataframe of every type", lambda: query(EVERY).to_dataframe(**frame).shape, (1, 16))
s.check("to_arrow", lambda: query("SELECT x FROM UNNEST(GENERATE_ARRAY(1, 30000)) AS x").to_arrow(**frame).num_rows, 30000)
s.check("to_dataframe_iterable", lambda: sum(len(d) for d in c.list_rows(people).to_dataframe_iterable()) if not REST else 3, 3)
s.check("list_rows to_dataframe", lambda: sorted(c.list_rows(people).to_dataframe(**frame)["id"].tolist()), [1, 2, 3])
s.check("query_and_wait to_dataframe", lambda: c.query_and_wait("SELECT 1 AS x").to_dataframe(**frame).x.tolist(), [1])

# Loads, extracts, copies
J = bigquery.LoadJobConfig


def load(call):
    j = call()
    j.result()
    return j.output_rows


s.check("load_table_from_json", lambda: load(lambda: c.load_table_from_json([{"a": 1, "b": "x"}, {"a": 2, "b": None}], f"{name}.loaded")), 2)
s.check("load_table_from_file, CSV", lambda: load(lambda: c.load_table_from_file(io.BytesIO(b"a,b\n1,x\n2,y\n"), f"{name}.csv", job_config=J(source_format="CSV", skip_leading_rows=1, autodetect=True))), 2)
s.check("load_table_from_file, resumable", lambda: load(lambda: c.load_table_from_file(io.BytesIO(b"5\n" * 1_500_000), f"{name}.large", job_config=J(source_format="CSV", schema=[bigquery.SchemaField("n", "INT64")]))), 1_500_000)
s.check("load_table_from_dataframe", lambda: load(lambda: c.load_table_from_dataframe(pd.DataFrame({"a": [1, 2], "s": ["x", None]}), f"{name}.frame")), 2)
s.check("what a frame became", lambda: sorted(rows(f"SELECT a, s FROM {name}.frame")), [(1, "x"), (2, None)])
s.check("load, schema and append", lambda: (load(lambda: c.load_table_from_json([{"a": 3, "b": "z"}], f"{name}.loaded", job_config=J(write_disposition="WRITE_APPEND"))),
                                            c.get_table(f"{name}.loaded").num_rows), (1, 3))
s.fails("load, a wrong value", lambda: c.load_table_from_json([{"n": "x"}], f"{name}.wrong", job_config=J(schema=[bigquery.SchemaField("n", "INT64")])).result(), "BadRequest", "")
s.check("copy_table", lambda: (c.copy_table(f"{name}.loaded", f"{name}.copied").result() and None, c.get_table(f"{name}.copied").num_rows)[1], 3)
bucket = storage.Client(project=PROJECT).bucket("suite-data")
s.check("extract_table", lambda: c.extract_table(f"{name}.loaded", "gs://suite-data/out/loaded-*.csv").result().state, "DONE")
s.check("the extracted file", lambda: sorted(l for b in bucket.list_blobs(prefix="out/") for l in b.download_as_text().split()), ["1,x", "2,", "3,z", "a,b"])
s.check("upload_from_string", lambda: bucket.blob("in/rows.jsonl").upload_from_string('{"a": 5}\n{"a": 6}\n'))
s.check("load_table_from_uri", lambda: load(lambda: c.load_table_from_uri("gs://suite-data/in/*.jsonl", f"{name}.uri", job_config=J(source_format="NEWLINE_DELIMITED_JSON", autodetect=True))), 2)
s.check("a blob by chunks", lambda: (bucket.blob("big.bin", chunk_size=256 * 1024).upload_from_string(b"x" * 700_000), bucket.get_blob("big.bin").size)[1], 700_000)
s.check("a blob's range", lambda: bucket.blob("in/rows.jsonl").download_as_bytes(start=1, end=3), b'"a"')
s.check("a blob is deleted", lambda: (bucket.blob("big.bin").delete(), bucket.get_blob("big.bin"))[1], lambda b: b is None)

# Models and routines
MODEL = f"""CREATE OR REPLACE MODEL `{name}.m`
  OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='gs://cloud-training-demos/txtclass/export/exporter/1549825580/*')"""
s.check("CREATE MODEL", lambda: query(MODEL).result().total_rows, lambda n: not n)
s.check("list_models", lambda: [m.model_id for m in c.list_models(name)], ["m"])
s.check("get_model", lambda: (lambda m: (m.model_type, [f.name for f in m.feature_columns], [f.name for f in m.label_columns]))(c.get_model(f"{name}.m")),
        ("TENSORFLOW", ["input"], ["dense_1"]))


def model_labels():
    m = c.get_model(f"{name}.m")
    m.labels, m.description = {"x": "y"}, "a classifier"
    c.update_model(m, ["labels", "description"])
    m = c.get_model(f"{name}.m")
    return m.labels, m.description


s.check("update_model", model_labels, ({"x": "y"}, "a classifier"))
s.check("ML.PREDICT", lambda: rows(f"SELECT dense_1, input FROM ML.PREDICT(MODEL `{name}.m`, (SELECT 'duck' AS input))"),
        lambda r: len(r) == 1 and len(r[0][0]) == 3 and abs(sum(r[0][0]) - 1) < 1e-5)
s.check("ML.PREDICT to_dataframe", lambda: query(f"SELECT * FROM ML.PREDICT(MODEL `{name}.m`, (SELECT title AS input FROM bigquery-public-data.hacker_news.full))").to_dataframe(**frame).shape, (1000, 2))
routine = bigquery.Routine(f"{PROJECT}.{name}.twice", type_="SCALAR_FUNCTION", language="SQL", body="x * 2",
                           arguments=[bigquery.RoutineArgument(name="x", data_type=bigquery.StandardSqlDataType(type_kind=bigquery.StandardSqlTypeNames.INT64))])
s.check("create_routine", lambda: c.create_routine(routine).routine_id, "twice")
s.check("a routine is called", lambda: rows(f"SELECT {name}.twice(21)"), [(42,)])
s.check("get_routine", lambda: c.get_routine(f"{name}.twice").type_, "SCALAR_FUNCTION")
s.check("list_routines", lambda: [r.routine_id for r in c.list_routines(name)], ["twice"])
s.check("delete_routine", lambda: c.delete_routine(f"{name}.twice"))
s.check("delete_model", lambda: (c.delete_model(f"{name}.m"), list(c.list_models(name)))[1], [])
s.check("delete_table", lambda: c.delete_table(f"{name}.people"))
s.check("delete_table, not_found_ok", lambda: c.delete_table(f"{name}.people", not_found_ok=True))
s.fails("delete_table, none", lambda: c.delete_table(f"{name}.people"), "NotFound", "people")
s.fails("delete_dataset with tables", lambda: c.delete_dataset(name), "BadRequest", "")
s.check("delete_dataset", lambda: (c.delete_dataset(name, delete_contents=True), name in [d.dataset_id for d in c.list_datasets()])[1], False)
s.end()
