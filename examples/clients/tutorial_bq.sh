#!/bin/sh
# The bq tabs of the tutorials. As printed the statement of CREATE MODEL has backticks inside double quotes, which a shell would run: they are escaped.
set -eu
bq --location=US mk -d --description "BigQuery ML tutorial dataset." bqml_tutorial_bq
bq ls | grep -w bqml_tutorial_bq
bq query --use_legacy_sql=false "CREATE OR REPLACE MODEL
  \`bqml_tutorial_bq.imported_tf_model\`
OPTIONS
  (MODEL_TYPE='TENSORFLOW',
    MODEL_PATH='gs://cloud-training-demos/txtclass/export/exporter/1549825580/*')"
bq ls bqml_tutorial_bq | grep -E 'imported_tf_model +MODEL'
bq query --use_legacy_sql=false 'SELECT *
FROM ML.PREDICT(
  MODEL `bqml_tutorial_bq.imported_tf_model`,
  (SELECT title AS input FROM `bigquery-public-data.hacker_news.full`))' | sed -n 1,8p
bq mk --dataset --location=us "${PROJECT_ID:-test-project}:tf_models_tutorial_bq"
bq mk --connection --location=US --project_id="${PROJECT_ID:-test-project}" --connection_type=CLOUD_RESOURCE bq_connection
bq show --connection "${PROJECT_ID:-test-project}.US.bq_connection" | grep serviceAccountId
bq rm -r -f -d bqml_tutorial_bq
bq rm -r -f -d tf_models_tutorial_bq
