#!/bin/sh
# A dbt project with a seed, a table, an incremental model that merges, a view over ML.PREDICT, a snapshot, tests and docs.
set -eu
cd "$(dirname "$0")"
export DBT_PROFILES_DIR=. DBT_SEND_ANONYMOUS_USAGE_STATS=false DO_NOT_TRACK=1
export DBT_TARGET_PATH="${DBT_TARGET_PATH:-$(mktemp -d)}" DBT_LOG_PATH="${DBT_LOG_PATH:-$(mktemp -d)}"
dbt debug
dbt build
dbt build --vars '{more: 1}' --select scores     # merges
dbt snapshot
dbt docs generate
