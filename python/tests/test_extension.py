"""What `make test-extension` runs with each version of DuckDB. MALLARD_EXTENSION and MALLARD_MODELS name folders."""

import gc
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import duckdb
import mallard

MODELS = os.environ["MALLARD_MODELS"]
MODEL = f"CREATE MODEL p OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='{MODELS}/perceptron/*')"
INPUT = "SELECT 1.0 AS a, 2.0 AS b, 3.0 AS c, 4.0 AS d"
ROUNDS = int(os.environ.get("ROUNDS", "20"))
HOSTILE = int(os.environ.get("HOSTILE", "500"))


def one(con, query):
    return con.execute(query).fetchall()[0][0]


class Loaded(unittest.TestCase):
    def setUp(self):
        self.con = mallard.connect()
        self.addCleanup(self.con.close)
        mallard.run(self.con, MODEL)

    def test_forms(self):
        quoted = INPUT.replace("'", "''")
        for query in (
            f"SELECT score FROM ml_predict('p', '{quoted}')",
            f"SELECT score FROM mallard.predict('p', '{quoted}')",
            f"SELECT score FROM mallard('SELECT * FROM ML.PREDICT(MODEL p, ({quoted}))')",
            f"SELECT score FROM mallard.googlesql('SELECT * FROM ML.PREDICT(MODEL p, ({quoted}))')",
        ):
            with self.subTest(query):
                self.assertAlmostEqual(one(self.con, query), 1, 5)
        self.assertEqual(one(self.con, "SELECT model_name FROM ml_models()"), "p")
        self.assertEqual(one(self.con, f"SELECT count(*) FROM object_table(['{MODELS}/*.py'])"), 1)

    def test_callers_rows(self):
        self.con.execute(f"CREATE TEMP TABLE t AS {INPUT}")
        self.assertEqual(one(self.con, "SELECT count(*) FROM mallard.predict('p', 'FROM t')"), 1)
        self.con.execute(f"BEGIN; CREATE TABLE u AS {INPUT}")
        self.assertEqual(one(self.con, "SELECT count(*) FROM mallard.predict('p', 'FROM u')"), 1)
        with self.assertRaises(duckdb.Error):
            self.con.execute("FROM ml_predict('p', 'FROM u')")
        self.con.execute("ROLLBACK")

    def test_binding_changes_nothing(self):
        made = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'made'"
        text = "FROM mallard('CREATE TABLE made (i INT)')"
        unread = self.con.sql(text)
        for query in (f"EXPLAIN {text}", f"DESCRIBE {text}", f"PREPARE s AS {text}", f"CREATE VIEW v AS {text}"):
            self.con.execute(query).fetchall()
            self.assertEqual(one(self.con, made), 0, query)
        unread.fetchall()
        self.assertEqual(one(self.con, made), 1)

    def test_types(self):
        values = [
            "'a'::ENUM('a','b')", "union_value(k := 1)", "MAP {'k': [1]}", "{'a': {'b': 1.5}}", "1::DECIMAL(38,3)", "INTERVAL 1 DAY",
            "[1,2]::INT[2]", "'x'::BLOB", "DATE '2024-01-01'", "1::HUGEINT", "uuid()::VARCHAR::UUID IS NULL", "'101'::BIT",
        ]
        for v in values:
            with self.subTest(v):
                inner = v.replace("'", "''")
                self.assertEqual(
                    self.con.execute(f"SELECT x::VARCHAR, typeof(x) FROM mallard('SELECT {inner} AS x')").fetchall(),
                    self.con.execute(f"SELECT x::VARCHAR, typeof(x) FROM (SELECT {v} AS x)").fetchall(),
                )

    def test_threads(self):
        failed = []

        def work():
            con = self.con.cursor()
            try:
                for form in ("ml_predict", "mallard.predict") * 10:
                    if one(con, f"SELECT count(*) FROM {form}('p', '{INPUT} FROM range(500)')") != 500:
                        failed.append(form)
            except Exception as e:  # pylint: disable=broad-except
                failed.append(str(e))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failed, [])

    def test_interrupt(self):
        rows = "SELECT i::DOUBLE a, 1.0 b, 1.0 c, 1.0 d FROM range(1000000000) t(i)"
        for form in ("ml_predict", "mallard.predict"):
            threading.Timer(0.5, self.con.interrupt).start()
            with self.assertRaises(duckdb.InterruptException):
                self.con.execute(f"SELECT sum(score) FROM {form}('p', '{rows}')").fetchall()

    def test_hostile(self):
        rnd = random.Random(7)
        parts = ["SELECT", "FROM", "p", "(", ")", "'", "''", "`", "ML.PREDICT", "MODEL", "CREATE", "DROP", ";", "BEGIN", "END", "LOOP",
                 "DECLARE x INT64", "SET", "1", "NULL", "*", ",", "--", "/*", "\x01", "é", "x" * 300, "[", "{", "WITH", "RECURSIVE", "mallard",
                 "ATTACH ':memory:' AS z", "COMMIT", "ROLLBACK", "SET threads=1", "EXPLAIN", "SHOW MODELS", "?", "$1", "@x", "TABLE"]
        for _ in range(HOSTILE):
            text = " ".join(rnd.choice(parts) for _ in range(rnd.randint(1, 12)))
            try:
                mallard.run(self.con, text)
            except (duckdb.Error, UnicodeDecodeError):
                pass
        self.assertEqual(one(self.con, "SELECT 1"), 1)

    def test_fork(self):
        pid = os.fork()
        if pid == 0:  # os._exit: the interpreter's own end does not survive DuckDB's threads in every version
            try:
                mallard.run(self.con.cursor(), "SHOW MODELS")
            except duckdb.Error as e:
                if "spawn" in str(e):
                    os._exit(7)
            os._exit(1)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 7)
        self.assertEqual(one(self.con, "SELECT count(*) FROM ml_models()"), 1)


class Lifetime(unittest.TestCase):
    def test_close_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            sizes = []
            for i in range(ROUNDS):
                file = f"{folder}/{i}.db"
                con = mallard.connect(file)
                mallard.run(con, MODEL)
                for form in ("ml_predict", "mallard.predict"):
                    self.assertEqual(one(con, f"SELECT count(*) FROM {form}('p', '{INPUT} FROM range(3000)')"), 3000)
                con.close()
                del con
                gc.collect()
                self.assertFalse(os.path.exists(file + ".wal"))
                if i in (0, ROUNDS - 1):  # another process may have the file
                    subprocess.run([sys.executable, "-c", f"import duckdb; duckdb.connect({file!r})"], check=True)
                with open("/proc/self/statm", encoding="ascii") as f:
                    sizes.append(int(f.read().split()[1]) * 4 // 1024)
            print(f"resident MB after rounds: {sizes[0]} … {sizes[len(sizes) // 2]} … {sizes[-1]}", file=sys.stderr)

    def test_models_before_load(self):
        with tempfile.TemporaryDirectory() as folder:
            con = mallard.connect(folder + "/a.db")
            mallard.run(con, MODEL)
            con.close()
            con = mallard.connect(folder + "/a.db", read_only=True)
            self.assertEqual(one(con, f"SELECT count(*) FROM mallard.predict('p', '{INPUT}')"), 1)
            con.close()

    def test_tensorflow_first(self):
        python = os.environ.get("TENSORFLOW_PYTHON")
        if not python:
            self.skipTest("TENSORFLOW_PYTHON names no Python with tensorflow")
        for order in ("tensorflow, mallard", "mallard, tensorflow"):
            code = f"import {order}\ncon = mallard.connect(); mallard.run(con, {MODEL!r}); import tensorflow as tf\n"
            code += f"print(con.execute({f'''SELECT count(*) FROM ml_predict('p', '{INPUT}')'''!r}).fetchall(), tf.constant(1).numpy())"
            done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False,
                                  env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
            self.assertEqual(done.stdout.strip(), "[(1,)] 1", done.stderr[-500:])


if __name__ == "__main__":
    start = time.time()
    mallard.connect().close()
    print(f"DuckDB {duckdb.__version__}: LOAD took {1000 * (time.time() - start):.0f} ms with opening and closing", file=sys.stderr)
    unittest.main()
