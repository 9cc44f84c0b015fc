SELECT * FROM EXTERNAL_OBJECT_TRANSFORM(TABLE `mydataset.posters`, ['SIGNED_URL'])
---
select * from external_object_transform (table ds.posters, ['SIGNED_URL']) t where t.uri like '%x'
---
SELECT query.query, base.title, distance FROM VECTOR_SEARCH(
  TABLE `ds.patents`, 'text_embedding',
  (SELECT ml_generate_embedding_result, content AS query FROM ML.GENERATE_EMBEDDING(MODEL `ds.m`, (SELECT 'a "b"' AS content))),
  top_k => 5, distance_type => 'COSINE', options => '{"use_brute_force":true}') AS s
---
SELECT * FROM VECTOR_SEARCH(TABLE ds.patents, 'text_embedding', (SELECT e FROM ML.GENERATE_EMBEDDING(MODEL ds.m, (SELECT ML.DISTANCE(a, b) AS content FROM t)) -- all
), top_k => 1 + 1)
---
SELECT * FROM VECTOR_SEARCH((SELECT * FROM a), 'v', TABLE b, 'w'), vector_search(a, 'v'), vector_search((a), 'v'), vector_search((SELECT 1), x), s.vector_search(TABLE a)
---
SELECT * FROM vector_search((SELECT 1), 'alone', top_k => 3) t
---
SELECT * FROM VECTOR_SEARCH((SELECT 1), 'alone', top_k => 3), `t`
---
SELECT * FROM VECTOR_SEARCH(TABLE a, 'v', query_value => [1.0, 2.0], top_k => 3), `t` x
---
SELECT * FROM VECTOR_SEARCH((SELECT `b` FROM VECTOR_SEARCH((((SELECT 1))), "v", TABLE `my-project.d.t`)), 'v', query_value => (SELECT x FROM u))
---
SELECT VECTOR_SEARCH(TABLE a, 'v') FROM `t`
---
SELECT * FROM VECTOR_SEARCH(TABLE (a), 'v'), `t`
---
SELECT * FROM VECTOR_SEARCH(TABLE a b, 'v'), `t`
---
SELECT * FROM VECTOR_SEARCH(TABLE a, 'v', top_k => 1, top_k => 2), `t`
---
SELECT * FROM VECTOR_SEARCH((SELECT DATE_ADD(x, 1) FROM t), 'v', TABLE a), `t`
---
CREATE VIEW v AS SELECT * FROM VECTOR_SEARCH(TABLE a, 'it''s', (SELECT * FROM ML.PREDICT(MODEL m, TABLE VECTOR)))
---
CREATE VIEW v AS SELECT * FROM ML.PREDICT(MODEL m, (SELECT * FROM VECTOR_SEARCH(TABLE a, 'b', (SELECT ML.DISTANCE('c', d))))), VECTOR_SEARCH(TABLE a, 'e')
---
CREATE VIEW v AS SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH((SELECT * FROM VECTOR_SEARCH(TABLE a, 'b')), 'b')), 'b')), 'b')), 'b')), 'b')), 'b')), 'b')), 'b')), 'b')
