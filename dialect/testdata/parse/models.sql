create model m options(model_type="tensorflow", model_path='it''s', tags=['serve', "x"], batch_size=-5, f=1.5e3, b=true, n=NULL, w=word, i=INTERVAL 4 HOUR, s=STRUCT('a' AS x, 1 AS y), l=[("k","v")],)
---
CREATE MODEL IF NOT EXISTS "a b".m INPUT (x INT, y ARRAY<DECIMAL(10, 2)>,) OUTPUT (z BOOLEAN) REMOTE WITH CONNECTION us.conn OPTIONS (ENDPOINT = $$x$$)
---
CREATE MODEL my-project-1.d.m OPTIONS (a = E'x\ty')
---
CREATE MODEL`a.b` OPTIONS (a = r"x\y", b = '''z''')
---
CREATE OR REPLACE MODEL IF NOT EXISTS m OPTIONS ()
---
CREATE TEMP MODEL m OPTIONS ()
---
CREATE PUBLIC MODEL m
---
CREATE MODEL m INPUT (x INT64) OPTIONS ()
---
CREATE MODEL m OUTPUT (x INT64)
---
CREATE MODEL m INPUT (x INT64 NOT NULL) OUTPUT (y INT64)
---
CREATE MODEL m INPUT (x ARRAY) OUTPUT (y INT64)
---
CREATE MODEL m INPUT (x INT64, X INT64) OUTPUT (y INT64)
---
CREATE MODEL m INPUT (x VARCHAR) OUTPUT (y INT64)
---
CREATE MODEL m WITH CONNECTION c OPTIONS ()
---
CREATE MODEL m TRANSFORM (a) OPTIONS ()
---
CREATE MODEL m OPTIONS (a = 1) AS SELECT 1
---
CREATE MODEL m OPTIONS (a = 1) REMOTE
---
CREATE MODEL m OPTIONS (a = 1 b = 2)
---
CREATE MODEL m OPTIONS (a = 1, A = 2)
---
CREATE MODEL m OPTIONS (a = 1
---
CREATE MODEL m OPTIONS (a)
---
CREATE MODEL m OPTIONS (a = 'x
---
CREATE MODEL m OPTIONS (a = current_date())
---
CREATE MODEL
---
CREATE MODEL `a..b`
---
CREATE MODEL `p:d.m` OPTIONS ()
---
CREATE MODEL a.b.c.d
---
DROP MODEL IF EXISTS demo.m; DROP MODEL `p.d.m`; DROP MODEL m CASCADE
---
ALTER MODEL IF EXISTS demo.m SET OPTIONS (description = "x", labels = [("a", "b")], expiration_timestamp = NULL)
---
ALTER MODEL m RENAME TO n
---
SHOW MODELS; SHOW MODELS FROM demo; SHOW MODELS IN `a.b` LIKE '%x%'; SHOW MODELS LIKE "x"
---
DESCRIBE MODEL demo.m; DESCRIBE MODEL; DESCRIBE model.t; DESC MODEL "m"
---
DROP EXTERNAL TABLE IF EXISTS d.t; CREATE EXTERNAL TABLE t (a INT64) OPTIONS (); CREATE EXTERNAL TABLE IF NOT EXISTS t WITH CONNECTION a.b OPTIONS (uris = ['gs://b/*'], max_staleness = INTERVAL "1" HOUR)
---
EXPORT MODEL m OPTIONS (uri = 'x')
---
select model from model where model = 'MODEL'
