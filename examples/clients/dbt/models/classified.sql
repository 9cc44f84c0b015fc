{{ config(materialized="view", pre_hook="create model if not exists {{ this.schema }}.classifier options (model_type = 'TENSORFLOW', model_path = 'gs://cloud-training-demos/txtclass/export/exporter/1549825580/*')") }}
select id, dense_1, input
from ml.predict(model {{ this.schema }}.classifier, (select id, title as input from {{ ref("titles") }}))
