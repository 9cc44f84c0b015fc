SELECT 1, 2 AS b, 'x' || "y", 1.5, .5, 2., 1e3, 0x1F, 3000000000, -9223372036854775808 FROM `t`
---
SELECT a + b * c - d / 2, a / b, a || b || c, 1 + (a || b), `a` | b & c ^ d, ~a + 1, -a * -5 FROM t
---
SELECT a = b, a != b, a <> b, a <= b, NOT a, a IS NULL, `b` IS NOT TRUE, a IS DISTINCT FROM b, a BETWEEN 1 AND 2 + 3, a IN (1, 2), a NOT IN (SELECT x FROM u), a IN UNNEST([1, 2])
---
SELECT `a` LIKE 'x%', a LIKE '10\\%', a LIKE b, a NOT LIKE "q"
---
SELECT CASE WHEN `a` > 0 THEN 1 ELSE 2 END, CASE a WHEN 1 THEN 'x' END, IF(a, 1, 2), IFNULL(a, b), COALESCE(a, b), NULLIF(a, b)
---
SELECT `a`[OFFSET(0)], a[ORDINAL(1)], a[SAFE_OFFSET(b)].c, a[SAFE_ORDINAL(2)]
---
SELECT CAST(`a` AS INT64), SAFE_CAST(a AS INT64), CAST(a AS STRING), CAST(a AS FLOAT64), SAFE_CAST(a AS FLOAT64), CAST('5' AS INT64), CAST(NULL AS ARRAY<INT64>)
---
SELECT CAST(`a` AS INT64), CAST(a AS BOOL), CAST(a AS NUMERIC), CAST(a AS DATE), CAST(a AS TIMESTAMP), CAST(a AS DATETIME), CAST(a AS BYTES), CAST(NULL AS STRING)
---
SELECT STRUCT(`a` AS x, b, t.c), STRUCT<a INT64, b ARRAY<STRING>>(1, ['x']), [1, 2], ARRAY<FLOAT64>[1, 2], ARRAY(SELECT x FROM u), ARRAY[1], []
---
SELECT DATE '2020-01-02', DATETIME '2020-01-02', TIMESTAMP "2020-01-02 03:04:05", TIMESTAMP '2020-01-02 03:04:05.5+02', NUMERIC '1.5', b'a\x00\'é', `x`
---
SELECT r'a\b', 'a\'b', "it's", '''tri
ple''', """d"q""", '\u00e9\x41\101\n', `x\`y`
---
SELECT COUNT(*), COUNT(DISTINCT a), SUM(a), COUNTIF(a > 1), LOGICAL_AND(a), ARRAY_AGG(a ORDER BY b DESC), STRING_AGG(a, ', ' ORDER BY a), ANY_VALUE(`a`)
---
SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b), LAG(`a`, 1, 0) OVER (ORDER BY b DESC, c NULLS LAST), SUM(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), FIRST_VALUE(a IGNORE NULLS) OVER (ORDER BY b)
---
SELECT CONCAT('a', `b`, 1 + 2), GREATEST(a, 1), LEAST(a), MOD(a, 2), MOD(a, b), DIV(a, -2), DIV(a, b), SAFE_DIVIDE(a, b + 1), ROUND(a, 2), ROUND(a), ABS(-1)
---
SELECT TRIM(`a`), LTRIM(a, 'x'), SUBSTR(a, 2), SUBSTR(a, 2, 3), SUBSTR(a, -3), LEFT(a, 2), REPEAT(a, 3), SPLIT(a), SPLIT(a, ';'), STRPOS(a, 'x'), REGEXP_CONTAINS(a, r'\d+'), REGEXP_REPLACE(a, 'x', 'y'), LENGTH(a), BYTE_LENGTH(a), STARTS_WITH(a, 'b'), GENERATE_UUID()
---
SELECT JSON_VALUE(`j`, '$.a'), JSON_QUERY(j, '$'), ARRAY_LENGTH([1]), ARRAY_TO_STRING(['a'], ','), GENERATE_ARRAY(1, 3), RAND() < 1
---
SELECT @a, @input AS input, ? AS x, `t`.`b`.c, t.*, * FROM t
