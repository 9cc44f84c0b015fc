"""Remote models in a host, against `mallard emulate`, whose program MALLARD names."""

import os
import re
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["MALLARD"]
CONFIG = """
[bigquery]
project = "local"
[connections.default]
base_url = "%s"
auth = "none"
project = "local"
location = "us-central1"
[budget]
statement_requests = 20
"""


class Remote(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.emulator = subprocess.Popen([PROGRAM, "emulate", "-addr", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        cls.addClassCleanup(cls.emulator.stdout.close)
        cls.addClassCleanup(cls.emulator.wait)
        cls.addClassCleanup(cls.emulator.terminate)
        url = None
        while url is None:
            line = cls.emulator.stdout.readline()
            if not line:
                raise RuntimeError("mallard emulate has ended")
            url = re.search(r"http://[0-9.:]+", line)
        config = folder.name + "/mallard.toml"
        with open(config, "w", encoding="utf-8") as f:
            f.write(CONFIG % url[0])
        os.environ["MALLARD_CONFIG"] = config  # Go reads the environment as it is at the first LOAD
        import mallard  # pylint: disable=import-outside-toplevel

        cls.mallard, cls.con = mallard, mallard.connect()
        cls.addClassCleanup(cls.con.close)
        for name, endpoint in ("text", "gemini-2.5-flash"), ("vectors", "text-embedding-005"):
            mallard.run(cls.con, f"CREATE MODEL {name} REMOTE WITH CONNECTION DEFAULT OPTIONS (ENDPOINT = '{endpoint}')")

    def rows(self, query):
        return self.con.execute(query).fetchall()

    def test_text(self):
        for query in (
            "SELECT result FROM mallard('SELECT * FROM AI.GENERATE_TEXT(MODEL text, (SELECT ''a'' AS prompt))')",
            "SELECT ml_generate_text_llm_result FROM ml_generate_text('text', 'SELECT ''a'' AS prompt', options := {flatten_json_output: true})",
            "SELECT ml_generate_text_llm_result FROM mallard.generate_text('text', 'SELECT ''a'' AS prompt', options := {flatten_json_output: true})",
            "SELECT r FROM mallard('SELECT AI.GENERATE(''a'', endpoint => ''gemini-2.5-flash'').result AS r')",
            "SELECT r FROM mallard.googlesql('SELECT AI.GENERATE(\"a\", endpoint => \"gemini-2.5-flash\").result AS r')",
        ):
            with self.subTest(query):
                self.assertEqual(self.rows(query), [("Echo: a",)])

    def test_callers_rows(self):
        self.con.execute("CREATE OR REPLACE TEMP TABLE mine AS SELECT 'mine ' || i AS prompt FROM range(5) t(i)")
        query = "SELECT ml_generate_text_llm_result FROM mallard.generate_text('text', 'FROM mine', options := {flatten_json_output: true}) ORDER BY 1"
        self.assertEqual(self.rows(query), [(f"Echo: mine {i}",) for i in range(5)])

    def test_embedding(self):
        query = "SELECT len(ml_generate_embedding_result) FROM {}('vectors', 'SELECT ''a'' AS content', options := {{flatten_json_output: true}})"
        for form in ("ml_generate_embedding", "mallard.generate_embedding"):
            self.assertEqual(self.rows(query.format(form)), [(768,)], form)

    def test_budget_and_usage(self):
        many = "SELECT count(result) FROM mallard('SELECT * FROM AI.GENERATE_TEXT(MODEL text, (SELECT ''many '' || i AS prompt FROM range(100) t(i)))')"
        self.assertLessEqual(self.rows(many)[0][0], 20)
        self.assertGreater(self.rows("SELECT sum(requests) FROM ml_usage()")[0][0], 0)
        self.assertTrue(any("request" in n for (n,) in self.rows("FROM mallard_notices()")))

    def test_binding_asks_nothing(self):
        before = self.rows("SELECT coalesce(sum(requests), 0) FROM ml_usage()")
        text = "FROM mallard('DECLARE `x` STRING DEFAULT (SELECT AI.GENERATE(\"new\", endpoint => \"gemini-2.5-flash\").result); SELECT `x`')"
        for query in ("EXPLAIN " + text, "DESCRIBE " + text, "DESCRIBE FROM ml_generate_text('text', 'SELECT ''other'' AS prompt')"):
            self.rows(query)
        self.assertEqual(self.rows("SELECT coalesce(sum(requests), 0) FROM ml_usage()"), before)


if __name__ == "__main__":
    unittest.main()
