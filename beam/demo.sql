-- What make demo-beam runs over the shards of input: a model, and for each shard how many files of a language it has.

CREATE SCHEMA demo;

CREATE MODEL demo.lang
OPTIONS (MODEL_TYPE = 'TENSORFLOW', MODEL_PATH = 'build/models/guesslang/*');

SELECT classes[list_position(scores, list_max(scores))] AS language, count(*) AS files
FROM ML.PREDICT(MODEL demo.lang, (SELECT content AS inputs FROM input))
GROUP BY language
