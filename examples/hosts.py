# %% [markdown]
# # BigQuery ML's inference in Python's DuckDB
#
# Each `# %%` begins a cell: editors that know the form, and `jupytext --to notebook examples/hosts.py`, show a notebook. As a program,
# `make test-extension` runs it. It needs `make extension` and `pip install ./python`, and begins in the folder of the repository.

# %%
import pathlib

import mallard

con = mallard.connect()  # DuckDB's own connection, with Mallard loaded
models = pathlib.Path("testdata/models").resolve()

# %% [markdown]
# ## A model
#
# `mallard.run` sends statements of Mallard once. Here a SavedModel of TensorFlow becomes a model, which the database keeps.

# %%
print(mallard.run(con, f"CREATE OR REPLACE MODEL perceptron OPTIONS (MODEL_TYPE = 'TENSORFLOW', MODEL_PATH = '{models}/perceptron/*')"))
con.sql("SELECT model_name, inputs, outputs FROM ml_models()").show()

# %% [markdown]
# ## Predictions over what Python has
#
# The macros of the catalog `mallard` run on this connection: temporary tables, DataFrames that are registered, and rows that are not
# committed yet are their input as any other table is.

# %%
con.execute("CREATE TEMP TABLE measured AS SELECT i AS id, i / 10.0 AS a, 2.0 AS b, 3.0 AS c, 4.0 AS d FROM range(1000) t(i)")
scored = con.sql("SELECT id, score FROM mallard.predict('perceptron', 'FROM measured') ORDER BY score DESC, id")
scored.limit(3).show()
assert len(scored.fetchall()) == 1000

# %% [markdown]
# ## GoogleSQL
#
# Queries of BigQuery run as they are. `FROM mallard('…')` takes whole scripts too, on a connection of its own, which sees what is committed.
# A backtick in a statement says that it is GoogleSQL; `dialect = "bigquery"` in mallard.toml says so of all.

# %%
con.execute("CREATE TABLE kept AS FROM measured")
con.sql("FROM mallard.googlesql('SELECT COUNTIF(score > 0.5) AS high, COUNT(*) AS total FROM ML.PREDICT(MODEL perceptron, TABLE kept)')").show()
script = """
    DECLARE `least` FLOAT64 DEFAULT 0.5;
    SELECT COUNT(*) AS n FROM `kept` WHERE a > least
"""
print(mallard.run(con, script))
assert mallard.run(con, script) == [(994,)]

# %% [markdown]
# ## What is looked at, and what runs
#
# A relation is lazy: describing it changes nothing, and showing it twice runs it twice. Statements that change something go through
# `mallard.run` for that reason.

# %%
later = con.sql("FROM mallard('CREATE TABLE made AS SELECT 1 AS one')")
print(later.columns)
assert con.sql("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'made'").fetchone() == (0,)

# %%
con.sql("FROM mallard_notices()").show()  # what a shell would have printed
con.close()
