"""The endpoint tutorial: a SavedModel goes into a bucket, is uploaded to Vertex AI and deployed, and BigQuery asks it as a remote model.

    python tutorial_endpoint.py FOLDER_OF_A_SAVEDMODEL
"""

import os
import sys

from google.cloud import aiplatform, bigquery, storage

PROJECT, LOCATION, BUCKET = os.environ.get("GOOGLE_CLOUD_PROJECT", "test-project"), "us-central1", "tf-models"
folder = sys.argv[1]

# gcloud storage cp OUTPUT_MODEL_PATH gs://BUCKET_PATH/bert_model --recursive
bucket = storage.Client(project=PROJECT).bucket(BUCKET)
for root, _, names in os.walk(folder):
    for name in names:
        path = os.path.join(root, name)
        bucket.blob("bert_model/" + os.path.relpath(path, folder)).upload_from_filename(path)

aiplatform.init(project=PROJECT, location=LOCATION)
model = aiplatform.Model.upload(
    display_name="BERT",
    artifact_uri=f"gs://{BUCKET}/bert_model",
    serving_container_image_uri="us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-8:latest",
)
endpoint = aiplatform.Endpoint.create(display_name="bert_model_endpoint")
model.deploy(endpoint=endpoint, machine_type="n1-standard-2")
direct = endpoint.predict(instances=[{"content": "What is BigQuery?"}]).predictions[0]

client = bigquery.Client(project=PROJECT)
client.query_and_wait("CREATE SCHEMA IF NOT EXISTS tf_models_tutorial")
client.query_and_wait(
    f"""
    CREATE OR REPLACE MODEL tf_models_tutorial.bert_model
    INPUT(content STRING)
    OUTPUT(embedding ARRAY<FLOAT64>)
    REMOTE WITH CONNECTION DEFAULT
    OPTIONS (
      ENDPOINT = "https://{LOCATION}-aiplatform.googleapis.com/v1/{endpoint.resource_name}")
    """
)
rows = list(
    client.query_and_wait(
        "SELECT * FROM ML.PREDICT(MODEL `tf_models_tutorial.bert_model`, (SELECT 'What is BigQuery?' AS content))"
    )
)
got = rows[0]["embedding"]
assert len(got) == len(direct) and all(abs(a - b) < 1e-6 for a, b in zip(got, direct)), (got[:4], direct[:4])
assert not rows[0]["remote_model_status"], rows[0]["remote_model_status"]
print(len(got), "numbers, as the endpoint says:", got[:4])
endpoint.undeploy_all()
endpoint.delete()
model.delete()
