-- What language is each source file of this repository written in?
-- Run from the root of the repository: make demo

CREATE SCHEMA IF NOT EXISTS demo;

CREATE OR REPLACE MODEL demo.lang
OPTIONS (MODEL_TYPE = 'TENSORFLOW', MODEL_PATH = 'build/models/guesslang/*');

.timer on

SELECT
  filename AS file,
  classes[list_position(scores, list_max(scores))] AS language,
  round(list_max(scores), 3) AS probability
FROM ML.PREDICT(MODEL demo.lang, (
  SELECT filename, content AS inputs
  FROM read_text(['Makefile', '*/*.go', '*/*/*.go', '*/*/*/*.go', 'testdata/*/*.py', 'examples/*.sql', 'README.md', '*.toml'])
))
ORDER BY file;
