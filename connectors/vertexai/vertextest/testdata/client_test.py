"""Google's own Python client against the local Vertex AI.

Usage: client_test.py http://127.0.0.1:PORT

The server must have the custom endpoint 7, which doubles x. Every check compares with a literal; the script ends with 0 when all hold.
"""

import sys
import warnings
from urllib.parse import urlparse

warnings.filterwarnings("ignore")

import grpc
from google import genai
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform, aiplatform_v1, aiplatform_v1beta1
from google.cloud.aiplatform_v1.services.prediction_service import transports
from google.cloud.aiplatform_v1beta1.services.prediction_service import transports as transports_beta
from google.genai import types
from google.oauth2.credentials import Credentials
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value

URL = sys.argv[1].rstrip("/")
HOST = urlparse(URL).netloc
PARENT = "projects/test/locations/us-central1"
ENDPOINT = PARENT + "/endpoints/7"
FLASH = PARENT + "/publishers/google/models/gemini-2.5-flash"
TEXT = PARENT + "/publishers/google/models/text-embedding-005"

failed = 0


def check(what, got, want):
    global failed
    ok = got == want
    failed += not ok
    print(("ok   " if ok else "FAIL ") + what + ("" if ok else f": {got!r}, want {want!r}"))


def value(v):
    return json_format.ParseDict(v, Value())


def prediction_service(name, client):
    """The generated client, over either transport and version."""
    res = client.predict(endpoint=ENDPOINT, instances=[value({"x": 1.5}), value({"x": -2})])
    check(name + " predict", [list(p) for p in res.predictions], [[3.0], [-4.0]])
    check(name + " deployed model", res.deployed_model_id, "1")

    res = client.predict(endpoint=TEXT, instances=[value({"content": "a"}), value({"content": "a"})], parameters=value({"outputDimensionality": 4}))
    vectors = [[float(f) for f in p["embeddings"]["values"]] for p in res.predictions]
    check(name + " embedding", (len(vectors[0]), vectors[0] == vectors[1], abs(sum(f * f for f in vectors[0]) - 1) < 1e-5), (4, True, True))

    content = {"role": "user", "parts": [{"text": "Why?"}]}
    res = client.generate_content(model=FLASH, contents=[content])
    check(name + " generate", res.candidates[0].content.parts[0].text, "Echo: Why?")
    check(name + " finish", res.candidates[0].finish_reason.name, "STOP")
    check(name + " tokens", res.usage_metadata.prompt_token_count, 1)

    parts = [p.candidates[0].content.parts[0].text for p in client.stream_generate_content(model=FLASH, contents=[content])]
    check(name + " stream", ("".join(parts), len(parts) > 1), ("Echo: Why?", True))

    try:
        client.predict(endpoint=PARENT + "/endpoints/404", instances=[value({})])
        check(name + " unknown endpoint", "no error", "NotFound")
    except exceptions.GoogleAPICallError as e:
        check(name + " unknown endpoint", type(e).__name__, "NotFound")


def main():
    none = AnonymousCredentials()
    for name, module, kinds in [("v1", aiplatform_v1, transports), ("v1beta1", aiplatform_v1beta1, transports_beta)]:
        channel = grpc.insecure_channel(HOST)
        prediction_service(f"{name} grpc", module.PredictionServiceClient(transport=kinds.PredictionServiceGrpcTransport(channel=channel)))
        channel.close()
        rest = kinds.PredictionServiceRestTransport(host=HOST, url_scheme="http", credentials=none)
        prediction_service(f"{name} rest", module.PredictionServiceClient(transport=rest))

    # The layer that users know: aiplatform.Endpoint reads the endpoint before it predicts.
    aiplatform.init(project="test", location="us-central1", credentials=none, api_transport="rest", api_endpoint=URL)
    res = aiplatform.Endpoint(ENDPOINT).predict(instances=[{"x": 21}])
    check("Endpoint.predict", res.predictions, [[42.0]])

    # google-genai, on which newer releases of the library rest.
    token = Credentials(token="local")  # it refreshes anonymous ones, which cannot be
    client = genai.Client(vertexai=True, project="test", location="us-central1", credentials=token, http_options=types.HttpOptions(base_url=URL))
    res = client.models.generate_content(model="gemini-2.5-flash", contents="Why?", config=types.GenerateContentConfig(temperature=0, max_output_tokens=2))
    check("genai generate", (res.text, res.candidates[0].finish_reason.name), ("Echo: Wh", "MAX_TOKENS"))
    check("genai stream", "".join(c.text for c in client.models.generate_content_stream(model="gemini-2.5-flash", contents="Why?")), "Echo: Why?")
    res = client.models.embed_content(model="text-embedding-005", contents=["a", "b"], config=types.EmbedContentConfig(output_dimensionality=8, task_type="CLUSTERING"))
    check("genai embed", [len(e.values) for e in res.embeddings], [8, 8])
    check("genai tokens", client.models.count_tokens(model="gemini-2.5-flash", contents="12345").total_tokens, 2)
    schema = types.GenerateContentConfig(response_mime_type="application/json", response_schema={"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}})
    check("genai schema", list(client.models.generate_content(model="gemini-2.5-flash", contents="n?", config=schema).parsed), ["n"])

    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
