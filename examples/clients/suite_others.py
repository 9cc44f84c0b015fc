"""pandas-gbq, SQLAlchemy and ibis."""

import os

import pandas as pd

from suite import Suite

PROJECT = os.environ.get("GOOGLE_CLOUD_PROJECT", "test-project")
from google.cloud import bigquery

client = bigquery.Client()
client.delete_dataset("others", delete_contents=True, not_found_ok=True)
client.create_dataset("others")
client.query_and_wait("CREATE TABLE others.t AS SELECT x, IF(MOD(x, 2) = 0, 'even', 'odd') AS p FROM UNNEST(GENERATE_ARRAY(1, 10)) AS x")

s = Suite("pandas-gbq, SQLAlchemy, ibis")

import pandas_gbq

s.check("pandas-gbq: read_gbq, a query", lambda: pandas_gbq.read_gbq("SELECT SUM(x) AS n FROM others.t", project_id=PROJECT, progress_bar_type=None)["n"].tolist(), [55])
s.check("pandas-gbq: read_gbq, a table", lambda: len(pandas_gbq.read_gbq(f"{PROJECT}.others.t", project_id=PROJECT, progress_bar_type=None)), 10)
s.check("pandas-gbq: to_gbq", lambda: pandas_gbq.to_gbq(pd.DataFrame({"a": [1, 2], "b": ["x", None]}), "others.written", project_id=PROJECT, if_exists="replace", progress_bar=False))
s.check("pandas-gbq: what to_gbq wrote", lambda: client.get_table("others.written").num_rows, 2)
s.check("pandas-gbq: append", lambda: (pandas_gbq.to_gbq(pd.DataFrame({"a": [3], "b": ["z"]}), "others.written", project_id=PROJECT, if_exists="append", progress_bar=False), client.get_table("others.written").num_rows)[1], 3)

import sqlalchemy as sa

engine = sa.create_engine(f"bigquery://{PROJECT}/others")
with engine.connect() as conn:
    s.check("SQLAlchemy: SELECT", lambda: conn.execute(sa.text("SELECT COUNT(*) FROM t")).scalar(), 10)
    s.check("SQLAlchemy: a parameter", lambda: conn.execute(sa.text("SELECT COUNT(*) FROM t WHERE x > :n"), {"n": 7}).scalar(), 3)
    t = s.check("SQLAlchemy: a table is reflected", lambda: sa.Table("t", sa.MetaData(), autoload_with=engine), lambda t: [c.name for c in t.columns] == ["x", "p"])
    s.check("SQLAlchemy: GROUP BY", lambda: sorted(tuple(r) for r in conn.execute(sa.select(t.c.p, sa.func.sum(t.c.x)).group_by(t.c.p))), [("even", 30), ("odd", 25)])
    s.check("SQLAlchemy: INSERT", lambda: conn.execute(t.insert().values(x=11, p="odd")).rowcount, lambda n: n in (1, -1))
    s.check("SQLAlchemy: get_table_names", lambda: sorted(sa.inspect(engine).get_table_names(schema="others")), ["t", "written"])
    s.check("SQLAlchemy: get_schema_names", lambda: "others" in sa.inspect(engine).get_schema_names(), True)
    s.check("SQLAlchemy: CREATE TABLE", lambda: sa.Table("made", sa.MetaData(), sa.Column("a", sa.Integer), sa.Column("b", sa.String)).create(engine))
s.check("pandas.read_sql", lambda: int(pd.read_sql("SELECT MAX(x) AS m FROM t", engine)["m"][0]), 11)

import ibis

con = s.check("ibis: connect", lambda: ibis.bigquery.connect(project_id=PROJECT, dataset_id="others"))
s.check("ibis: list_tables", lambda: sorted(con.list_tables()), ["made", "t", "written"])
i = s.check("ibis: table", lambda: con.table("t"))
s.check("ibis: count", lambda: int(i.count().execute()), 11)
s.check("ibis: group_by", lambda: sorted(i.group_by("p").aggregate(n=i.x.sum()).execute()["n"].tolist()), [30, 36])
s.check("ibis: filter and order", lambda: i.filter(i.x > 8).order_by("x").execute()["x"].tolist(), [9, 10, 11])
s.check("ibis: mutate", lambda: i.mutate(y=i.x * 2).order_by("y").limit(2).execute()["y"].tolist(), [2, 4])
s.check("ibis: join", lambda: int(i.join(i.view(), "x").count().execute()), 11)
s.check("ibis: sql", lambda: con.sql("SELECT MAX(x) AS m FROM others.t").execute()["m"].tolist(), [11])
s.check("ibis: create_table", lambda: int(con.create_table("from_ibis", i.filter(i.x < 3), overwrite=True).count().execute()), 2)
# con.drop_table writes DROP TABLE without a name, with the sqlglot that ibis 12.0.0 gets today.
s.check("ibis: raw_sql", lambda: con.raw_sql("DROP TABLE others.from_ibis"))
client.delete_dataset("others", delete_contents=True)
s.end()
