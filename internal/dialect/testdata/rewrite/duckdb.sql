SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT content AS input FROM read_text('**/*.go') -- all
))
---
SELECT * FROM ml.predict (model demo.m, table t, struct(0.5 as threshold)) p, ai.generate_text(MODEL "a.b"."c", (VALUES (1)))
---
select $$ML.PREDICT(MODEL m, TABLE t)$$, 'ML.PREDICT(MODEL m, TABLE t)' -- ML.PREDICT(MODEL m, TABLE t)
---
select ml.predict(1), ml.predict(model), ml.predict(model is null), ml.predict(model in (1)), ml.predict(model(1), 2), x.ml.predict(model m) from t
---
SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT ? AS input, $1 x, $name AS "X", 1 + ? AS input, (?) AS x FROM t WHERE y = ?))
---
SELECT * FROM ML.PREDICT(MODEL demo.m, (WITH q AS (SELECT ? AS x) SELECT DISTINCT ? AS input, * FROM q))
---
SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT 1 AS a UNION ALL SELECT ? AS x))
---
CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT 'it''s' AS input -- c
 FROM ML.PREDICT(MODEL "x y", TABLE "a b")))
---
CREATE MACRO f(x) AS TABLE SELECT * FROM ML.PREDICT(MODEL demo.m, (SELECT x AS input))
---
PREPARE p AS SELECT * FROM ML.PREDICT(MODEL demo.m, TABLE t)
---
CREATE TABLE x AS FROM ML.PREDICT(MODEL demo.m, (FROM t)); INSERT INTO y SELECT * FROM ML.PREDICT(MODEL demo.m, TABLE t); COPY (SELECT * FROM ML.PREDICT(MODEL demo.m, TABLE t)) TO 'x.csv'
---
begin; start transaction; commit; end; rollback; abort; (((select 1))); with a as (select 1) from a; drop table t; create unique index i on t(a); ; -- nothing
---
SELECT * FROM ML.PREDICT(MODEL demo.nope, TABLE t)
---
SELECT * FROM ML.PREDICT(MODEL m, SELECT 1)
---
SELECT * FROM ML.PREDICT(MODEL (m), TABLE t)
---
SELECT * FROM ML.PREDICT(MODEL m, TABLE (t))
---
SELECT * FROM ML.PREDICT(MODEL m (SELECT 1))
---
SELECT * FROM ML.PREDICT(MODEL m, TABLE t STRUCT(1 AS a))
---
SELECT * FROM ML.PREDICT(MODEL m, TABLE t, STRUCT(1 AS a, 2 AS A))
---
SELECT * FROM ML.PREDICT(MODEL m, TABLE t, STRUCT(f(1) AS a))
---
SELECT * FROM ML.PREDICT(MODEL m, TABLE t, STRUCT(? AS a))
---
SELECT * FROM ML.PREDICT(MODEL m, TABLE t, 5)
---
SELECT * FROM ML.PREDICT(MODEL m, ())
---
SELECT * FROM ML.PREDICT(MODEL a.b.c.d, TABLE t)
---
SELECT * FROM ML.PREDICT(MODEL m, (SELECT 1)
---
SELECT * FROM ML.PREDICT(MODEL m); 
---
SELECT * FROM ML.PREDICT(MODEL m, STRUCT(1 AS a))
---
SELECT * FROM ML.FEATURE_INFO(MODEL m)
