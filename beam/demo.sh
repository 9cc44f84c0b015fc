#!/usr/bin/env bash
# Tells the language of real texts in 200 shards, on the runner in the process. Run from the root of the repository: make demo-beam
set -euo pipefail
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
mkdir "$data/shards"

# Every source file here, dealt to 200 shards.
bin/mallard -bail -c "
  COPY (SELECT filename, content, row_number() OVER () % 200 AS shard FROM read_text(
      ['*.md', '*.go', '*/*.go', '*/*/*.go', '*/*/*/*.go', '*/*.md', 'testdata/**/*.py', 'testdata/**/*.test', 'examples/*.sql', 'Makefile']))
    TO '$data/shards' (FORMAT parquet, PARTITION_BY (shard), WRITE_PARTITION_COLUMNS true)"

bin/mallard beam -f beam/demo.sql -input "$data/shards/*/*.parquet" -output "$data/out" \
  -combine 'SELECT language, sum(files)::BIGINT AS files FROM output GROUP BY language ORDER BY files DESC' 2> >(grep -v level=INFO >&2)
bin/mallard -c "FROM '$data/out/combined.parquet'"
