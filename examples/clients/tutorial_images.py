"""The tutorial "Analyze images with a Gemini model": an object table of posters, and what a model says of them."""

from google.cloud import bigquery

client = bigquery.Client()
client.create_dataset("bqml_tutorial", exists_ok=True)
for statement in (
    """CREATE OR REPLACE EXTERNAL TABLE `bqml_tutorial.movie_posters`
      WITH CONNECTION DEFAULT
      OPTIONS (
        object_metadata = 'SIMPLE',
        uris =
          ['gs://cloud-samples-data/vertex-ai/dataset-management/datasets/classic-movie-posters/*']);""",
    """CREATE OR REPLACE MODEL `bqml_tutorial.gemini-vision`
      REMOTE WITH CONNECTION DEFAULT
      OPTIONS (ENDPOINT = 'gemini-2.5-flash');""",
    """CREATE OR REPLACE TABLE
      `bqml_tutorial.movie_posters_results` AS (
      SELECT
        uri,
        ml_generate_text_llm_result
      FROM
        ML.GENERATE_TEXT( MODEL `bqml_tutorial.gemini-vision`,
          TABLE `bqml_tutorial.movie_posters`,
          STRUCT( 0.2 AS temperature,
            'For the movie represented by this poster, what is the movie title and year of release? Answer in JSON format with two keys: title, year. title should be string, year should be integer.' AS PROMPT,
            TRUE AS FLATTEN_JSON_OUTPUT)));""",
    """CREATE OR REPLACE TABLE
      `bqml_tutorial.movie_posters_results_formatted` AS (
      SELECT
        uri,
        JSON_QUERY(RTRIM(LTRIM(results.ml_generate_text_llm_result, " ```json"), "```"), "$.title") AS title,
        JSON_QUERY(RTRIM(LTRIM(results.ml_generate_text_llm_result, " ```json"), "```"), "$.year") AS year
      FROM
        `bqml_tutorial.movie_posters_results` results );""",
):
    client.query_and_wait(statement)
films = {(r["title"], r["year"]) for r in client.query_and_wait("SELECT * FROM `bqml_tutorial.movie_posters_results_formatted`")}
want = {('"Barque sortant du port"', "1895"), ('"The Great Train Robbery"', "1903"), ('"Little Annie Rooney"', "1912")}
assert films == want, films
print(films)

client.query_and_wait("CREATE OR REPLACE MODEL `bqml_tutorial.multimodal` REMOTE WITH CONNECTION DEFAULT OPTIONS (ENDPOINT = 'multimodalembedding@001')")
rows = list(
    client.query_and_wait(
        "SELECT * FROM ML.GENERATE_EMBEDDING( MODEL `bqml_tutorial.multimodal`, TABLE bqml_tutorial.movie_posters, STRUCT(TRUE AS flatten_json_output) )"
    )
)
assert len(rows) == 3 and all(len(r["ml_generate_embedding_result"]) == 1408 for r in rows), rows
print("three posters are embedded, 1408 numbers each")
