"""The tests of the samples of google-cloud-bigquery: the argument is a clone of https://github.com/googleapis/python-bigquery.

Each of their tests must pass, or stand in EXPECTED with what it needs; the packages are those of requirements-samples.txt.
"""

import io
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import pyarrow
import pyarrow.parquet
from google.cloud import storage

FORMAT = "a file format that DuckDB does not read"
LEGACY = "legacy SQL"
PUBLIC = "rows of BigQuery's public data"
GEOGRAPHY = "the type GEOGRAPHY"
SHEETS = "Google Sheets"

# By the folder, the file without test, and the test where the file has several.
EXPECTED = {
    "tests/browse_table_data": PUBLIC,
    "tests/client_query_destination_table_legacy": LEGACY,
    "tests/client_query_legacy_sql": LEGACY,
    "tests/client_query_w_named_params": PUBLIC,
    "tests/client_query_w_positional_params": PUBLIC,
    "tests/load_table_uri_avro": FORMAT,
    "tests/load_table_uri_orc": FORMAT,
    "tests/load_table_uri_truncate_avro": FORMAT,
    "tests/load_table_uri_truncate_orc": FORMAT,
    "tests/model_samples": "training of models",
    "tests/query_external_sheets_permanent_table": SHEETS,
    "tests/query_external_sheets_temporary_table": SHEETS,
    "tests/query_pagination": PUBLIC,
    "tests/query_script": PUBLIC,
    "tests/undelete_table": "time travel to a table that is deleted",
    "snippets/authorized_view_tutorial": PUBLIC,
    "snippets/client_query": PUBLIC,
    "snippets/create_table_external_data_configuration": FORMAT,
    "snippets/load_table_uri_firestore": "an export of Firestore",
    "snippets/natality_tutorial": PUBLIC,
    "snippets/simple_app": PUBLIC,
    "geography/insert_geojson": GEOGRAPHY,
    "geography/insert_wkt": GEOGRAPHY,
    "geography/to_geodataframe": GEOGRAPHY,
    "notebooks/jupyter_tutorial": PUBLIC,
}


def put_files():
    """The files of gs://cloud-samples-data that the samples load, made up but for their shape."""
    bucket = storage.Client().bucket("cloud-samples-data")
    states = [(f"State {i}", chr(65 + i // 26) + chr(65 + i % 26)) for i in range(46)]
    states += [("Washington", "WA"), ("West Virginia", "WV"), ("Wisconsin", "WI"), ("Wyoming", "WY")]
    folder = "bigquery/us-states/us-states"

    def put(name, lines):
        bucket.blob(name).upload_from_string("\n".join(lines) + "\n")

    put(f"{folder}.csv", ["name,post_abbr"] + [f"{n},{a}" for n, a in states])
    put(f"{folder}-by-date.csv", ["name,post_abbr,date"] + [f"{n},{a},19{i + 10}-01-02" for i, (n, a) in enumerate(states)])
    put(f"{folder}.json", [f'{{"name": "{n}", "post_abbr": "{a}"}}' for n, a in states])
    file = io.BytesIO()
    table = pyarrow.table({"name": [n for n, _ in states], "post_abbr": [a for _, a in states]})
    pyarrow.parquet.write_table(table, file)
    bucket.blob(f"{folder}.parquet").upload_from_string(file.getvalue())
    for day in ("2020-11-15", "2020-11-16"):
        blob = bucket.blob(f"bigquery/hive-partitioning-samples/autolayout/dt={day}/file1.parquet")
        blob.upload_from_string(file.getvalue())
    put(
        "bigquery/sample-transactions/transactions.csv",
        ["timestamp,origin,destination,amount"] + [f"2019-01-0{1 + i % 9} 00:00:00,{i},{i + 1},{i}.25" for i in range(100)],
    )


def tests(clone, folder):
    """Runs a folder's tests, and gives for each whether it passed or was left out, and what it said."""
    with tempfile.TemporaryDirectory() as scratch:
        report = os.path.join(scratch, "report.xml")
        subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--timeout=120", "-p", "no:cacheprovider", "--tb=short", f"--junitxml={report}", "."],
            cwd=os.path.join(clone, "samples", folder),
            env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1"),
            stdout=None if os.environ.get("TRACE") else subprocess.DEVNULL,
        )
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            said = [x.get("message", "") for x in case if x.tag in ("failure", "error")]
            file = case.get("classname").split(".")[-1].removeprefix("test_").removesuffix("_test")
            yield f"{folder}/{file}", case.get("name"), said


def main(clone):
    put_files()
    passed, listed, wrong, met = 0, {}, 0, set()
    for folder in ("tests", "snippets", "desktopapp", "geography", "magics", "notebooks"):
        for file, name, said in tests(clone, folder):
            reason = EXPECTED.get(file)
            met.add(file)
            if not said:
                passed += 1
            elif reason:
                listed[reason] = listed.get(reason, 0) + 1
            else:
                wrong += 1
                print(f"FAIL  {file} {name}: {said[0][:600]}", flush=True)
    for reason, n in listed.items():
        print(f"{n:4} need {reason}")
    for file in sorted(set(EXPECTED) - met):
        print(f"      there is no test {file}")
    print(f"samples: {passed} passed, {sum(listed.values())} need what is listed, {wrong} failed")
    sys.exit(1 if wrong or not met else 0)


main(sys.argv[1])
