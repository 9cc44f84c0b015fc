#!/usr/bin/env bash
# Runs whole jobs on Prism against one process: SHARDS shards of ROWS rows through guesslang, and a tenth of the rows through a remote
# model that an emulator plays, in a job that is killed and run again. Run from the root of the repository: make test-beam
set -euo pipefail
shards=$1 rows=$2
data=$(mktemp -d)
emulator=
trap 'if [ -n "$emulator" ]; then kill "$emulator"; fi; rm -rf "$data"' EXIT
quiet() { grep -v level=INFO || true; }
now() { date +%s.%N; }

# same RELATION RELATION: both have the same rows, each as often.
same() {
  local differ
  differ=$(bin/mallard -list -noheader -c "SELECT count(*) FROM (
    (FROM $1 EXCEPT ALL FROM $2) UNION ALL (FROM $2 EXCEPT ALL FROM $1))")
  [ "$differ" = 0 ] || { echo "$differ rows differ between $1 and $2"; exit 1; }
}

mkdir "$data/in"
bin/mallard -bail -c "
  COPY (SELECT i AS id, i % $shards AS shard,
      CASE i % 3 WHEN 0 THEN 'def f' || i || '(x):' || chr(10) || '    return x + ' || i
        WHEN 1 THEN 'package main' || chr(10) || 'func f' || i || '() int { return ' || i || ' }'
        ELSE '#include <stdio.h>' || chr(10) || 'int f' || i || '(void) { return ' || i || '; }' END AS content
    FROM range($shards * $rows) r(i)) TO '$data/in' (FORMAT parquet, PARTITION_BY (shard), WRITE_PARTITION_COLUMNS true)"

# One process, and the same on Beam.
cat > "$data/q.sql" <<SQL
CREATE MODEL lang OPTIONS (MODEL_TYPE = 'TENSORFLOW', MODEL_PATH = 'build/models/guesslang/*');
SELECT id, classes[list_position(scores, list_max(scores))] AS language, list_max(scores) AS score
FROM ML.PREDICT(MODEL lang, (SELECT id, content AS inputs FROM input))
SQL
begin=$(now)
{
  echo "CREATE VIEW input AS SELECT * FROM read_parquet('$data/in/*/*.parquet', hive_partitioning = false);"
  sed "s|^SELECT id, classes|COPY (&|" "$data/q.sql"
  echo ") TO '$data/one.parquet' (FORMAT parquet);"
} > "$data/one.sql"
bin/mallard -bail -f "$data/one.sql"
one=$(now)
bin/mallard beam -f "$data/q.sql" -input "$data/in/*/*.parquet" -output "$data/out" 2>&1 | quiet
beam=$(now)
same "(SELECT id, language FROM '$data/one.parquet')" "(SELECT id, language FROM '$data/out/part-*.parquet')"
# The last bits of a float32 depend on how many rows TensorFlow multiplies at once.
apart=$(bin/mallard -list -noheader -c "SELECT max(abs(a.score - b.score)) FROM '$data/one.parquet' a JOIN '$data/out/part-*.parquet' b USING (id)")
awk -v a="$apart" 'BEGIN { exit !(a < 1e-5) }' || { echo "scores are up to $apart apart"; exit 1; }
[ "$(find "$data/out" -name 'part-*' | wc -l)" = "$shards" ]
awk -v rows=$((shards * rows)) -v a="$begin" -v b="$one" -v c="$beam" 'BEGIN { one = b - a; beam = c - b
  printf "guesslang: %d rows, the same; one process %.1f s, Beam %.1f s, rate over one process %.2f\n", rows, one, beam, one / beam }'

# A remote model. The job is killed as soon as some requests are answered; the second run asks only for the others.
bin/mallard emulate -addr 127.0.0.1:0 -latency 200ms -log "$data/log.jsonl" > "$data/emulator" 2>&1 &
emulator=$!
until address=$(grep -o 'http://[0-9.:]*' "$data/emulator" | head -1) && [ -n "$address" ]; do
  kill -0 "$emulator" || { cat "$data/emulator"; exit 1; }
  read -rt 0.1 <> <(:) || true
done
printf '[connections.default]\nkind = "vertexai"\nproject = "p"\nlocation = "us-central1"\nbase_url = "%s"\nauth = "none"\n' "$address" > "$data/mallard.toml"
cat > "$data/r.sql" <<SQL
CREATE MODEL gemini REMOTE WITH CONNECTION DEFAULT OPTIONS (ENDPOINT = 'gemini-2.5-flash');
SELECT id, result, status
FROM AI.GENERATE_TEXT(MODEL gemini, (SELECT id, content AS prompt FROM input WHERE id < $((shards * rows / 10))), STRUCT(0.0 AS temperature))
SQL
ask=(bin/mallard-beam -config "$data/mallard.toml" -f "$data/r.sql" -input "$data/in/*/*.parquet" -output "$data/remote")
"${ask[@]}" > "$data/killed.log" 2>&1 &
job=$!
while [ "$(wc -l < "$data/log.jsonl" 2>/dev/null || echo 0)" -lt $((shards * rows / 40)) ] && kill -0 $job 2>/dev/null; do read -rt 0.05 <> <(:) || true; done
kill -KILL $job || { cat "$data/killed.log"; echo "the job ended before it was killed"; exit 1; }
wait $job 2>/dev/null || true
before=$(wc -l < "$data/log.jsonl")
"${ask[@]}" > "$data/remote.log" 2>&1 || { cat "$data/remote.log"; exit 1; }
quiet < "$data/remote.log"
after=$(wc -l < "$data/log.jsonl")
echo "remote: $((shards * rows / 10)) rows, $before requests before the job was killed, $((after - before)) after it"
{
  echo "CREATE VIEW input AS SELECT * FROM read_parquet('$data/in/*/*.parquet', hive_partitioning = false);"
  sed "s|^SELECT id, result|COPY (&|" "$data/r.sql"
  echo ") TO '$data/asked.parquet' (FORMAT parquet);"
} > "$data/r1.sql"
bin/mallard -bail -config "$data/mallard.toml" -f "$data/r1.sql" > /dev/null
same "'$data/asked.parquet'" "'$data/remote/part-*.parquet'"
# Asked once more is what was on its way when the process died: in 32 slots, and answers that were about to be written to the cache.
[ $((after - shards * rows / 10)) -le 96 ] || { echo "$after requests for $((shards * rows / 10)) rows"; exit 1; }
echo "all is as in one process"
