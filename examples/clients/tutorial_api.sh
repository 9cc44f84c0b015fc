#!/bin/sh
# The API tab of the tutorial "Make predictions with imported TensorFlow models": datasets.insert and jobs.insert by curl.
# As printed the first statement lacks a comma between its options, writes PROJECT_ID with a colon, and the second reads input_data, which has no
# dataset: a default one is given.
set -eu
API=${BIGQUERY_EMULATOR_HOST:-http://localhost:9050}/bigquery/v2/projects/${PROJECT_ID:-test-project}

post() { # PATH BODY WORD: the answer must hold the word
  answer=$(curl -sS --noproxy '*' -X POST -H 'Content-Type: application/json' -H "Authorization: Bearer ${TOKEN:-local}" "$API/$1" -d "$2")
  case $answer in *"$3"*) ;; *) echo "$1 answered $answer"; exit 1 ;; esac
}
wait_for() { # JOB
  answer=$(curl -sS --noproxy '*' -H "Authorization: Bearer ${TOKEN:-local}" "$API/queries/$1?timeoutMs=60000&location=US")
  case $answer in *'"jobComplete":true'* | *'"jobComplete": true'*) ;; *) echo "job $1: $answer"; exit 1 ;; esac
}
N=$$

post datasets '{"datasetReference": {"datasetId": "bqml_tutorial_api"}}' bqml_tutorial_api
post jobs '{"jobReference": {"jobId": "model'$N'"}, "configuration": {"query": {"query": "CREATE MODEL `'"${PROJECT_ID:-test-project}"'.bqml_tutorial_api.imported_tf_model` OPTIONS(MODEL_TYPE='"'TENSORFLOW'"', MODEL_PATH='"'gs://cloud-training-demos/txtclass/export/exporter/1549825580/*'"')"}}}' jobReference
wait_for model$N
post queries '{"query": "CREATE TABLE bqml_tutorial_api.input_data AS SELECT title AS input FROM bigquery-public-data.hacker_news.full LIMIT 10"}' jobReference
post jobs '{"jobReference": {"jobId": "predict'$N'"}, "configuration": {"query": {"query": "SELECT * FROM ML.PREDICT(MODEL `'"${PROJECT_ID:-test-project}"'.bqml_tutorial_api.imported_tf_model`, (SELECT * FROM input_data))", "defaultDataset": {"datasetId": "bqml_tutorial_api"}}}}' jobReference
wait_for predict$N
case $answer in *dense_1*) ;; *) echo "no dense_1: $answer"; exit 1 ;; esac
echo "$answer" | head -c 400; echo
curl -sS --noproxy '*' -X DELETE -H "Authorization: Bearer ${TOKEN:-local}" "$API/datasets/bqml_tutorial_api?deleteContents=true"
echo "curl: dataset, model and predictions"
