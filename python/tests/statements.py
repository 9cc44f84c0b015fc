"""Runs statements for extension/hostedsql_test.go: lines of JSON come in, one goes out for each. Rows go into a file of DuckDB."""

import json
import sys

import mallard

database = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else ":memory:"
file, _, rest = database.partition("?")
main = mallard.connect(file, read_only="READ_ONLY" in rest)
connections = {}
for line in sys.stdin:
    ask = json.loads(line)
    con = connections.setdefault(ask["conn"], main.cursor())
    answer = {}
    try:
        if "file" in ask:
            con.execute(f"ATTACH '{ask['file']}' AS mallard_rows")
            try:
                con.execute("CREATE TABLE mallard_rows.rows AS " + ask["sql"])
            finally:
                con.execute("DETACH mallard_rows")
        else:
            con.execute(ask["sql"]).fetchall()
    except Exception as e:  # pylint: disable=broad-except
        answer["error"] = str(e) or type(e).__name__
    print(json.dumps(answer), flush=True)
