SELECT FORMAT('%d', 1) FROM `t`
---
SELECT a[0] FROM `t`
---
SELECT a << 1 FROM `t`
---
SELECT (1, 2) FROM `t`
---
SELECT INTERVAL 4 HOUR FROM `t`
---
SELECT a = b = c FROM `t`
---
SELECT a UNION SELECT b FROM `t`
---
SELECT a UNION ALL SELECT b INTERSECT DISTINCT SELECT c FROM `t`
---
SELECT * FROM a, b RIGHT JOIN `c` ON TRUE
---
SELECT * FROM `t` AS q, q.arr
---
SELECT * FROM `d.events_*`
---
SELECT * FROM `p.d.t.x.y`
---
SELECT * FROM `unknown-project.d.t`
---
SELECT * FROM `region-us`.INFORMATION_SCHEMA.TABLES
---
SELECT SAFE.SUBSTR('a', 1) FROM `t`
---
SELECT d.fn(1) FROM `t`
---
SELECT SUBSTR(a, 0) FROM `t`
---
SELECT SUBSTR(a, b) FROM `t`
---
SELECT SUBSTR(a) FROM `t`
---
SELECT @@time_zone FROM `t`
---
SELECT 'a\q' FROM `t`
---
SELECT 'a
b' FROM `t`
---
SELECT ö FROM `t`
---
SELECT `` FROM t
---
SELECT 1AS x FROM `t`
---
SELECT 9223372036854775808 FROM `t`
---
SELECT a FROM `t` TABLESAMPLE SYSTEM (10 PERCENT)
---
SELECT AS STRUCT 1 AS a FROM `t`
---
SELECT x FROM `t` WINDOW w AS (ORDER BY x)
---
SELECT DATE_ADD(d, INTERVAL 1 DAY) FROM `t`
---
SELECT x LIKE ANY ('a') FROM `t`
---
SELECT CAST(x AS STRING FORMAT 'YYYY') FROM `t`
---
SELECT FROM `t`
---
SELECT a FROM
	`日本` x y
---
SELECT $1 FROM `t`
---
SET x = `y`
---
SELECT 'a FROM `t`
---
SELECT CURRENT_DATE FROM `t`
---
SELECT current_timestamp() FROM `t`
