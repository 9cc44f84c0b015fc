-- Small generated tables with the columns of those of bigquery-public-data that tutorials and samples read. No row is one of Google's.

CREATE SCHEMA hacker_news;
CREATE TABLE hacker_news.full AS
SELECT
  CASE WHEN i % 7 = 6 THEN NULL
    ELSE (['Ask HN: How do you ', 'Show HN: A tool to ', 'Why we ', 'The quiet art to ', 'You may not want to '])[i % 5 + 1]
      || (['test', 'rewrite', 'document', 'release', 'measure', 'forget'])[i % 6 + 1] || ' '
      || (['a database', 'your compiler', 'a text classifier', 'old code', 'small models', 'a query planner', 'side projects'])[i // 6 % 7 + 1]
  END AS title,
  CASE WHEN i % 3 = 0 THEN NULL ELSE 'https://example.com/' || i END AS url,
  CASE WHEN i % 7 = 6 THEN 'I would write the tests first, and number ' || i || ' last.' END AS text,
  NULL::BOOLEAN AS dead,
  'user' || i % 50 AS by,
  (i * 37 % 400)::BIGINT AS score,
  (1700000000 + i * 3600)::BIGINT AS time,
  to_timestamp(1700000000 + i * 3600) AS timestamp,
  CASE WHEN i % 7 = 6 THEN 'comment' ELSE 'story' END AS type,
  (40000000 + i)::BIGINT AS id,
  CASE WHEN i % 7 = 6 THEN 40000000 + i - 1 END::BIGINT AS parent,
  CASE WHEN i % 7 <> 6 THEN i % 90 END::BIGINT AS descendants,
  NULL::BIGINT AS ranking,
  NULL::BOOLEAN AS deleted
FROM range(1000) r(i);

CREATE SCHEMA imdb;
CREATE TABLE imdb.reviews AS
SELECT
  (['I went in without hopes and ', 'The first half hour is slow, and then ', 'My sister chose it; '])[i % 3 + 1]
    || (['left humming.', 'laughed until it hurt.', 'wanted my evening back.', 'looked at my watch.'])[i % 4 + 1]
    || ' ' || (['The pictures are lovely', 'The cast tries hard', 'The script needs work', 'The music carries it', 'Nobody learns anything'])[i % 5 + 1]
    || ', and scene ' || i % 61 || ' stays with you.' AS review,
  CASE WHEN i % 2 = 0 THEN 'train' ELSE 'test' END AS split,
  CASE WHEN i % 4 < 2 THEN 'Positive' ELSE 'Negative' END AS label,
  'tt' || lpad((i % 40)::VARCHAR, 7, '0') AS movie_id,
  CASE WHEN i % 4 < 2 THEN 7 + i % 4 ELSE 1 + i % 4 END::BIGINT AS reviewer_rating,
  'https://example.com/title/tt' || lpad((i % 40)::VARCHAR, 7, '0') AS movie_url,
  'Film ' || i % 40 AS title
FROM range(1000) r(i);

CREATE SCHEMA usa_names;
CREATE TABLE usa_names.usa_1910_2013 AS
SELECT s.state, g.gender, y.year, n.name, (5 + hash(s.state || n.name || y.year) % 500)::BIGINT AS number
FROM (VALUES ('CA'), ('NY'), ('TX'), ('WA')) s(state), (VALUES ('F', ['Mary', 'Anna', 'Emma', 'Ruth', 'Wilma']), ('M', ['James', 'John', 'Walter', 'William', 'Frank'])) g(gender, names),
  unnest(g.names) n(name), (SELECT unnest(range(1910, 2014))::BIGINT AS year) y;
CREATE VIEW usa_names.usa_1910_current AS SELECT * FROM usa_names.usa_1910_2013;

CREATE SCHEMA samples;
CREATE TABLE samples.shakespeare AS
SELECT w.word, (1 + hash(w.word || c.corpus) % 300)::BIGINT AS word_count, c.corpus, c.corpus_date
FROM (SELECT unnest(['the', 'and', 'love', 'night', 'king', 'Prospero', 'sword', 'raisin', 'huzzah', 'thou', 'crown', 'ghost']) AS word) w,
  (VALUES ('hamlet', 1600::BIGINT), ('kinglear', 1605), ('romeoandjuliet', 1594), ('tempest', 1611), ('sonnets', 1609)) c(corpus, corpus_date);
