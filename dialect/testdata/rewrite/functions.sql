SELECT * FROM ML.PREDICT(MODEL `resnet_inference_test.resnet`,
  (SELECT uri, ML.RESIZE_IMAGE(ML.DECODE_IMAGE(data), 224, 224, FALSE) AS input_1
   FROM resnet_inference_test.posters));
---
SELECT ML.RESIZE_IMAGE ( ML.DECODE_IMAGE( p.data /* the bytes */ ), 224,  -- high
  x + 1, true) FROM ds.posters p
---
SELECT ml.convert_color_space(x, 'HSV'), ml.distance(a, b), "ml".distance(a, b), x.ml.distance(a, b), ml.other(a), ml . distance (a, (b), [c, d], {'e': (1, 2)}) FROM t
---
SELECT ml.convert_color_space(x, 'HSV') /* kept */ FROM t
---
CREATE MACRO ml.distance(a, b) AS a + b; DROP FUNCTION ml.distance; CREATE TABLE ml.distance (a INT, b INT); INSERT INTO ml.distance (a, b) VALUES (1, 2); SELECT * FROM ml.distance(1, 2); CREATE OR REPLACE FUNCTION IF NOT EXISTS ai.embed(x) AS x; CALL ai.generate('x')
---
SELECT a IS NOT DISTINCT FROM ML.DISTANCE(b, c) FROM t
---
SELECT ml.distance(a, ), ml.distance(, b), ml.distance(a, b
---
SELECT ML.DISTANCE(a, ) FROM `t`
---
SELECT ML.DISTANCE(a, b FROM `t`
---
SELECT ML.DISTANCE() AS `x`, OBJ.MAKE_REF(uri, @c) FROM `t`
---
SELECT COSINE_DISTANCE([1.0, 2.0], [3.0, 4.0]), EUCLIDEAN_DISTANCE(a, ARRAY<STRUCT<a INT64, b INT64>>[]) FROM `t`
---
SELECT cosine_distance(a, b), euclidean_distance(a, b) FROM t
---
SELECT ML.DISTANCE([4.1, .5, 1], x, 'MANHATTAN') AS d FROM `t` GROUP BY 1 HAVING d > 1 ORDER BY d * 2
---
SELECT AI.GENERATE(('Describe ', ref, " in \"French\""), connection_id => 'us.c', endpoint => 'gemini-2.5-flash', model_params => JSON '{"a": "b"}', output_schema => 'x STRING').result AS r FROM `ds.t`
---
SELECT AI.GENERATE(('Describe ', ref), connection_id => 'us.c', model_params => JSON '{"a": "b"}').result, AI.GENERATE(STRUCT('Describe ', ref)), AI.GENERATE(STRUCT(1 AS a)), AI.GENERATE_BOOL(prompt => 'x', request_type => t) FROM t
---
SELECT AI.GENERATE(STRUCT('Describe ', t.ref)), AI.GENERATE(STRUCT(title AS a, ref AS b)), AI.EMBED('x', model => m), AI.SIMILARITY(content1 => (a), content2 => (b, 'c')) FROM `t`
---
SELECT ('Describe ', ref) AS prompt, STRUCT(ref, 'x') AS p2, STRUCT(a, b), (a, b) c, (SELECT 1), (1) FROM `t`
---
SELECT * FROM ML.GENERATE_TEXT(MODEL `m`, (SELECT ('Describe ', OBJ.GET_ACCESS_URL(ref, 'r', INTERVAL 45 MINUTE)) AS prompt, OBJ.FETCH_METADATA(OBJ.MAKE_REF(uri, 'us.c')).details FROM `t`), STRUCT(0.2 AS temperature))
---
SELECT (a, b) = (c, d) FROM `t`
---
SELECT x FROM `t` WHERE (a, b) IN (SELECT 1)
---
SELECT STRUCT('x', a AS b) FROM `t`
---
SELECT ML.DISTANCE((a, b), c) FROM `t`
---
SELECT AI.GENERATE('a', endpoint => 'x', endpoint => 'y') FROM `t`
---
SELECT AI.GENERATE(endpoint => 'x', 'a') FROM t
---
SELECT AI.GENERATE('a', endpoint => ) FROM `t`
---
SELECT AI.SCORE('a') FROM `t`
---
SELECT LOWER(x => 'a') FROM `t`
---
SELECT ML.DISTANCE(TABLE t, b), SUM(x) OVER (ORDER BY ML.DISTANCE(a, y)) FROM `t`
---
SELECT ML.DISTANCE(a b) FROM `t`
---
SELECT ML.DISTANCE(a, DATE_ADD(b, 1)) FROM `t`
---
SELECT ML.DISTANCE(a, b) OVER () FROM `t`
---
SELECT * FROM ML.DISTANCE(a, b), `t`
---
SELECT ml.DISTANCE(a, (SELECT y FROM ML.PREDICT(MODEL m, (SELECT ? AS x, OBJ.MAKE_REF(ML.DISTANCE(1, 2)) AS r)))), 'ML.DISTANCE(1)' -- ML.DISTANCE(1)
---
CREATE VIEW v AS SELECT ML.DISTANCE(a, 'it''s') AS d, ML.DECODE_IMAGE(data) FROM ML.PREDICT(MODEL m, (SELECT ML.DISTANCE(b, 'x') AS e FROM ds.posters)), posters
---
CREATE VIEW v AS SELECT ML.DISTANCE(a, b) FROM t
---
CREATE MACRO f(x) AS ML.DISTANCE(x, [1])
---
SELECT (SELECT y FROM ML.PREDICT(MODEL m, TABLE u)) AS z FROM `t` GROUP BY 1 HAVING z > 1
---
SELECT ML.DISTANCE(a, ML.DISTANCE(b, c)) AS d, d + 1 AS e FROM `t` WHERE ML.DISTANCE(-a, 'x' || y) IS NULL AND ML.DISTANCE(a, b) LIKE 'x\\'
---
SELECT AI.SIMILARITY(content1 => 'a', content2 => ((b, 'c'))) FROM `t`
---
SELECT AI.GENERATE(x).result AS r FROM `t` ORDER BY r; SELECT AI.GENERATE(x).result AS r FROM `t` ORDER BY UPPER(r)
---
SELECT STRUCT(1, 2) FROM ML.GENERATE_TEXT(MODEL m, (SELECT STRUCT('Describe ', ref) AS prompt, STRUCT(a, b), STRUCT(c, 1) d, STRUCT(1 AS x), STRUCT(1, 2).f, ('a', b) AS q, STRUCT() FROM t))
---
SELECT ml.distance(a, b) FROM t, ai.generate(ml.distance(c, d)) AS x JOIN (u CROSS JOIN ml.resize_image('x')) ON ml.distance(e, f) < 1
---
FROM t, ai.generate('x')
---
SELECT AI.GENERATE('x').result, STRUCT(1 AS a).a, t.b, t.c[OFFSET(0)].`select`, FROM (SELECT AI.EMBED(x).status FROM `t`) AS t ORDER BY a + 1, b
