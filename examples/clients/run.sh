#!/bin/sh
# Runs every client against a served database and says which ran: what `make clients` does. PYTHON is that of the environment with requirements.txt,
# MODELS a folder of SavedModels. It expects the variables of `mallard serve -env`, as in
#
#   mallard serve -tutorials -emulate -project test-project -bucket tf-models=FOLDER -bucket suite-data=FOLDER -- examples/clients/run.sh
#
# With arguments it runs the steps of these names only. SAMPLES is a clone of https://github.com/googleapis/python-bigquery for the step samples;
# the step load takes DURATION, two minutes; it and suite-java run only where they are named,
# suite-node where NODE_PATH has its client.
set -u
cd "$(dirname "$0")"
PYTHON=${PYTHON:-python3}
MODELS=${MODELS:-../../testdata/models}
PATH=$(dirname "$PYTHON"):$PATH
export PROJECT_ID="${GOOGLE_CLOUD_PROJECT:-test-project}"
ran= failed= missing=

step() { # NAME PROGRAM COMMAND...: PROGRAM must be there
  name=$1 program=$2
  shift 2
  case " $only " in "  " | *" $name "*) ;; *) return ;; esac
  if ! command -v "$program" > /dev/null; then
    missing="$missing $name"
    return
  fi
  echo "== $name"
  if "$@"; then ran="$ran $name"; else failed="$failed $name"; fi
}
only=$*

step tutorial-api curl ./tutorial_api.sh
step tutorial-bq bq ./tutorial_bq.sh
step tutorial-python "$PYTHON" "$PYTHON" tutorial_python.py
step tutorial-dataframes "$PYTHON" "$PYTHON" tutorial_dataframes.py
step tutorial-dataframes-partial "$PYTHON" "$PYTHON" tutorial_dataframes.py partial
step tutorial-images "$PYTHON" "$PYTHON" tutorial_images.py
step tutorial-endpoint "$PYTHON" "$PYTHON" tutorial_endpoint.py "$MODELS/bert_like"
step tutorial-go go go run ./golang
step suite-python "$PYTHON" "$PYTHON" suite_python.py
step suite-python-rest "$PYTHON" "$PYTHON" suite_python.py rest
step suite-dataframes "$PYTHON" "$PYTHON" suite_dataframes.py
step suite-dataframes-partial "$PYTHON" "$PYTHON" suite_dataframes.py partial
step suite-others "$PYTHON" "$PYTHON" suite_others.py
[ ! -d "${NODE_PATH:-}/@google-cloud/bigquery" ] || step suite-node node node suite_node.cjs
[ -z "$only" ] || step suite-java mvn java/run.sh
step pages "$PYTHON" "$PYTHON" pages.py ../../docs/clients.md
step dbt dbt dbt/run.sh
[ -z "${SAMPLES:-}" ] || step samples "$PYTHON" "$PYTHON" samples.py "$SAMPLES"
[ -z "$only" ] || step load go go run ./load

echo
echo "ran:$ran"
echo "not installed:$missing"
echo "failed:$failed"
[ -z "$failed" ]
