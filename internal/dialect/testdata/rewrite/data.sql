SELECT ML.DECODE_IMAGE(data), length(p.data), posters.DATA, data FROM ds.posters AS p
---
SELECT data, p.data FROM ds.posters AS p
---
/* data */ SELECT data, p.data, x AS data, y data, upper("Data") FROM ds.posters AS p WHERE data IS NOT NULL ORDER BY length(data)
---
SELECT /* data */ z.* EXCLUDE (data), * EXCLUDE data, x::data, {'data': data, data: 1}, f(data := 1, data => data), list_transform(l, data -> data || 'x'), list_transform(l, LAMBDA data: data), CASE WHEN data IS NULL THEN data ELSE data END FROM posters z, q JOIN r USING (data) WHERE a IS DISTINCT FROM data
---
SELECT ml_decode_image(data) FROM posters
---
SELECT /* data */ ml_decode_image(data) FROM posters
---
SELECT `x`, ML.DECODE_IMAGE(ds.posters.data), ML.DECODE_IMAGE(`ds.posters`.data), ML.DECODE_IMAGE(`posters`.`data`), p.data, posters.data, q.data, data FROM ds.posters, `ds.tbl` AS p, (SELECT 1) q
---
SELECT ML.DECODE_IMAGE(data) FROM a, ds.posters p, b x JOIN "c d".e AS "f g" ON p.data = x.data AND left(a.b, 1) = 'x' LEFT JOIN LATERAL (SELECT p.data FROM h) i ON TRUE, read_text('x') j, 'k.csv' l, unnest([1]) AS m(n) CROSS JOIN (o JOIN s t USING (u)) v, w: y.z
---
WITH posters AS (SELECT ML.DECODE_IMAGE(data) FROM posters), q(a, b) AS NOT MATERIALIZED (FROM posters), r AS (SELECT 1) SELECT ML.DECODE_IMAGE(posters.data) FROM posters, q x, ds.posters
---
WITH RECURSIVE posters AS (SELECT ML.DECODE_IMAGE(data) FROM posters) SELECT 1
---
FROM ds.posters p SELECT ML.DECODE_IMAGE(data) AS x WHERE length(p.data) > 0
---
SELECT ML.DECODE_IMAGE(data) FROM a UNION ALL SELECT ML.DECODE_IMAGE(data) FROM ds.posters UNION BY NAME (SELECT ML.DECODE_IMAGE(p.data) FROM posters p) ORDER BY p.data
---
SELECT (SELECT ML.DECODE_IMAGE(p.data) FROM a), x IN (SELECT length(posters.data) FROM posters), ((SELECT 1 FROM b) + length(p.data)) FROM ds.posters p
---
SELECT ML.DECODE_IMAGE(data)
---
SELECT ML.DECODE_IMAGE(data), ML.DISTANCE(f(x).data, p.data.x, p.data(1), (p).data) FROM posters a, posters p
---
SELECT * FROM ML.PREDICT(MODEL ds.data, TABLE ds.data), s.data, ML.PREDICT(MODEL m, (SELECT ML.DECODE_IMAGE(ds.posters.data) AS x FROM ds.posters)) WHERE ML.DECODE_IMAGE(data)
---
INSERT INTO s.data (data) SELECT ML.DECODE_IMAGE(data) FROM posters RETURNING posters.data
---
UPDATE t SET x = ML.DECODE_IMAGE(data), y = posters.data FROM posters WHERE posters.data IS NULL
---
SELECT x + 1 AS data, y, UPPER(posters.data) FROM ds.`posters` ORDER BY data, ML.DECODE_IMAGE(data)
---
/* data */ SELECT data, `data` AS x FROM ds.posters ORDER BY data
---
/* data */ SELECT x + 1 AS data FROM `posters` ORDER BY data, LENGTH(data)
---
SELECT a.data, ML.DECODE_IMAGE(data) FROM `posters` AS p, UNNEST(p.metadata) AS a
---
SELECT * FROM (SELECT ML.DECODE_IMAGE(data) AS i FROM `posters`) q WHERE EXISTS (SELECT q.data, p.data FROM `posters` p)
---
SELECT ML.DECODE_IMAGE(data) FROM ((SELECT 1) UNION ALL (SELECT 2)) a, (posters JOIN b USING (x)), (SELECT * FROM posters LIMIT 1)
---
SELECT data FROM ds.posters p, t WHERE t.data = 'x'; SELECT t.data ->> 'x' FROM t
---
SELECT p.data, FROM ds.posters p, `t` ORDER BY data, LENGTH(data)
---
SELECT DISTINCT p.data, p.data || 'x', p.data AS y, p.data z, ML.DECODE_IMAGE(p.data), (SELECT p.data) FROM ds.posters p UNION SELECT q.data FROM posters q
---
/* data */ SELECT data
