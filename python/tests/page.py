"""Runs the commands of docs/extension.md as they are printed, in the folder of the repository: page.py [python|sh|js|java]…

Python is the one that runs this; `duckdb` is looked up in $PATH; NODE_PATH is a folder in which `npm install @duckdb/node-api` has run, and
JDBC the file of org.duckdb:duckdb_jdbc.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
JAVA = """import java.sql.*;
import java.util.Properties;

public class Page {
    public static void main(String[] args) throws SQLException {
%s
        System.out.println("done");
    }
}
"""


def run(command, **kw):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, **kw)
    out = done.stdout + done.stderr
    if done.returncode or "rror:" in out:
        raise SystemExit(f"{command[0]} failed with {done.returncode}:\n{out}")
    return out


def main(wanted):
    page = (ROOT / "docs" / "extension.md").read_text(encoding="utf-8")
    seen = set()
    for language, text in re.findall(r"^```(\w+)[^\n]*\n(.*?)^```", page, re.M | re.S):
        if language not in wanted:
            continue
        seen.add(language)
        with tempfile.TemporaryDirectory() as folder:
            if language == "python":
                run([sys.executable, "-c", text])
            elif language == "sh":
                run(["sh", "-ec", text])
            elif language == "js":  # a module finds others from its own folder
                file = pathlib.Path(os.environ["NODE_PATH"]) / "page.mjs"
                file.write_text(text, encoding="utf-8")
                run(["node", str(file)])
            elif language == "java":
                file = pathlib.Path(folder) / "Page.java"
                file.write_text(JAVA % text, encoding="utf-8")
                run(["java", "-cp", os.environ["JDBC"], str(file)])
        print("docs/extension.md:", language, "works")
    if missing := set(wanted) - seen:
        raise SystemExit(f"the page has no block of {missing}")


main(sys.argv[1:] or ["python", "sh"])
