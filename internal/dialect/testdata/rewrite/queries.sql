SELECT * EXCEPT (a, `b`) REPLACE (c + 1 AS c), t.* EXCEPT (d) FROM `t`
---
SELECT a, b, FROM `t` # a comment
 ORDER BY a, b DESC, 1, c NULLS LAST /* x /* y */ LIMIT 10 OFFSET 2
---
WITH q AS (SELECT 1 AS x), r AS (SELECT 2 AS y) SELECT * FROM q, `r` LEFT JOIN s ON q.x = s.x CROSS JOIN (u JOIN v USING (k)) WHERE EXISTS (SELECT 1 FROM w)
---
(SELECT `a` FROM t UNION ALL SELECT b FROM u) UNION DISTINCT SELECT c FROM v ORDER BY a LIMIT 1
---
SELECT LOWER(n) AS n, COUNT(*) AS c FROM `t` GROUP BY n HAVING c > 1 ORDER BY n
---
SELECT *, LOWER(n) AS n FROM `t` GROUP BY n
---
SELECT -x AS x FROM `t` ORDER BY x + 1, x
---
SELECT -x AS x FROM `t` WHERE x > 0 QUALIFY x < 5
---
SELECT t.x AS x FROM `t` GROUP BY x ORDER BY x + 1
---
SELECT x, o FROM `t`, UNNEST(t.arr) AS x WITH OFFSET AS o WHERE t.y = 1
---
SELECT y FROM `t`, UNNEST(t.arr) AS x
---
SELECT * FROM UNNEST([1, 2, `x`])
---
SELECT * FROM UNNEST([1, 2, 3]) AS `x` WITH OFFSET
---
SELECT t.x, (SELECT SUM(e) FROM UNNEST(t.dense_1) AS e) AS s FROM `t`
---
SELECT a FROM ((SELECT 1 AS a) AS q JOIN `r` ON TRUE)
---
SELECT ((SELECT 1) + 1), ((SELECT 2)), (SELECT 3) FROM `t`
---
SELECT * FROM my-project.ds.tbl AS q, `my-project`.ds.`full` WHERE q.offset = 1 AND q.`end` = 2
---
SELECT user, `select`, q.order FROM `my-project.ds.t` offset
---
SELECT * FROM bigquery-public-data.hacker_news.full WHERE `x` = 1
---
SELECT * FROM ML.PREDICT(MODEL `d.m`, (SELECT @input AS input, "a" AS s FROM `d.t`)) p JOIN `u` USING (k) WHERE y[OFFSET(0)] > 0.5
---
SELECT * FROM ML.PREDICT(MODEL `d.m`, (SELECT * EXCEPT (y), y AS y1 FROM ML.PREDICT(MODEL `d.n`, TABLE my-project-1.d.t)))
---
SELECT * FROM `ML.PREDICT`
---
SELECT ML.PREDICT(MODEL `d.m`, TABLE `d.t`)
---
EXPLAIN SELECT 1 FROM `t`
---
BEGIN TRANSACTION; COMMIT TRANSACTION; SELECT `a` FROM t
---
SELECT t.x, u.y FROM `t` JOIN u USING (k) GROUP BY x, y HAVING y > 1 ORDER BY x + y, COUNT(*)
---
SELECT x AS `y` FROM `t` HAVING y > (SELECT MAX(y) FROM u)
---
SELECT STRUCT(1 AS a) AS s FROM `t` ORDER BY s.a
