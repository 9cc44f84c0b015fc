"""A result of 5 million rows by Storage Read in Google's Python client, against duckdb in Python, in turns of one run:

    bin/mallard serve -- python bench/storageread.py [ROWS]

It wants google-cloud-bigquery, google-cloud-bigquery-storage, pandas, pyarrow, db-dtypes and duckdb. Both sides hold the same table in memory and end
with the same DataFrame. "The floor" is the client itself: a server in a process of its own sends it the messages that it got before, as they are,
without TLS; nothing that a server does can be faster. Shown are medians of time and of processor time of the client, the server and the floor's server;
what the client's process takes in memory at most, and how the server's grows meanwhile.
"""

import concurrent.futures
import os
import pickle
import resource
import statistics
import subprocess
import sys
import time

import duckdb
import grpc
from google.cloud import bigquery, bigquery_storage_v1
from google.cloud.bigquery_storage_v1 import types
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

METHOD = "/google.cloud.bigquery.storage.v1.BigQueryRead/"


class Replay(grpc.GenericRpcHandler):
    """Answers with what was answered before."""

    def __init__(self, session, streams):
        self.session, self.streams = session, streams

    def service(self, call):
        if call.method == METHOD + "ReadRows":
            return grpc.unary_stream_rpc_method_handler(lambda r, _: iter(self.streams[types.ReadRowsRequest.deserialize(r).read_stream]))
        return grpc.unary_unary_rpc_method_handler(lambda r, _: self.session)


if sys.argv[1:] == ["replay"]:
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(16), handlers=[Replay(*pickle.load(sys.stdin.buffer))])
    print(server.add_insecure_port("localhost:0"), flush=True)
    server.start()
    server.wait_for_termination()

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


def channel(address):
    return grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1), ("grpc.enable_http_proxy", 0)])


def recorded():
    """What the server answers: the session, and the messages of each stream."""
    to = channel(os.environ["BIGQUERY_EMULATOR_HOST"].removeprefix("http://"))
    options = types.ReadSession.TableReadOptions(arrow_serialization_options={"buffer_compression": 1})  # as the client asks
    wanted = types.ReadSession(table=f"projects/{client.project}/datasets/bench/tables/big", data_format="ARROW", read_options=options)
    request = types.CreateReadSessionRequest(parent=f"projects/{client.project}", read_session=wanted)
    session = to.unary_unary(METHOD + "CreateReadSession")(types.CreateReadSessionRequest.serialize(request))
    read = to.unary_stream(METHOD + "ReadRows")
    names = [s.name for s in types.ReadSession.deserialize(session).streams]
    return session, {n: list(read(types.ReadRowsRequest.serialize(types.ReadRowsRequest(read_stream=n)))) for n in names}


def processor(pid):
    """The processor time that a process has taken, where the system tells."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0


def server_mb():
    """What the server's process has in memory, where the system tells; it is this one's parent."""
    try:
        with open(f"/proc/{os.getppid()}/status") as f:
            return next(int(line.split()[1]) // 1024 for line in f if line.startswith("VmRSS"))
    except OSError:
        return 0


replay = subprocess.Popen([sys.executable, __file__, "replay"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
pickle.dump(recorded(), replay.stdin)
replay.stdin.close()
floor = bigquery_storage_v1.BigQueryReadClient(
    transport=BigQueryReadGrpcTransport(channel=channel("localhost:" + replay.stdout.readline().decode().strip()))
)
ways = {
    "duckdb, Arrow, pandas": lambda: db.sql("SELECT * FROM big").to_arrow_table().to_pandas(),
    "the result of a query": lambda: job.to_dataframe(),
    "a table": lambda: client.list_rows("bench.big").to_dataframe(),
    "the floor": lambda: client.list_rows("bench.big").to_dataframe(bqstorage_client=floor),
}
before = server_mb()
largest = before
taken = {name: [] for name in ways}
for _ in range(rounds):
    for name, way in ways.items():
        pids = os.getpid(), os.getppid(), replay.pid
        start, used = time.perf_counter(), [processor(p) for p in pids]
        frame = way()
        taken[name].append((time.perf_counter() - start, *(processor(p) - u for p, u in zip(pids, used))))
        assert len(frame) == rows and frame["i"].sum() == rows * (rows - 1) // 2, name
        del frame
        largest = max(largest, server_mb())
replay.kill()
medians = {name: [statistics.median(of) for of in zip(*times)] for name, times in taken.items()}
base = medians["duckdb, Arrow, pandas"][0]
for name, (median, *processors) in medians.items():
    shown = ", ".join(f"{who} {p:.2f}" for who, p in zip(["client", "server", "floor's"], processors))
    print(f"{name:24} {median:6.2f} s  {base / median:4.2f} of duckdb's speed; processor: {shown} s")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(f"client's memory at most {peak} MB, the server's {before} MB before and {largest} MB at most")
