CREATE SCHEMA IF NOT EXISTS `PROJECT_ID.d` OPTIONS (location = 'us', description = "x")
---
CREATE SCHEMA d OPTIONS (location = "us")
---
CREATE SCHEMA "PROJECT_ID"."d" OPTIONS (location = "us") -- note
---
CREATE SCHEMA d OPTIONS (is_case_insensitive = TRUE)
---
CREATE SCHEMA `d` DEFAULT COLLATE 'und:ci'
---
CREATE SCHEMA a.b
---
DROP SCHEMA IF EXISTS `PROJECT_ID.d` CASCADE
---
CREATE OR REPLACE TABLE `d.t` (a INT64 NOT NULL, b ARRAY<STRING>, c STRUCT<x FLOAT64, y ARRAY<STRUCT<z BYTES>>> OPTIONS (description = 'n'), d TIMESTAMP, e DATETIME, f NUMERIC,) OPTIONS (labels = [('a', 'b')])
---
CREATE TEMP TABLE t AS SELECT 1 AS `a`
---
CREATE TABLE `d.t` PARTITION BY x AS SELECT 1 AS a
---
CREATE TABLE `d.t` CLUSTER BY x AS SELECT 1 AS a
---
CREATE TABLE `d.t` OPTIONS (expiration_timestamp = TIMESTAMP '2030-01-01 00:00:00') AS SELECT 1 AS a
---
CREATE TABLE `d.t` (a BIGNUMERIC)
---
CREATE TABLE `d.t` (a STRING(10))
---
CREATE TABLE `d.t` LIKE u
---
CREATE VIEW `d.v` (a, b) OPTIONS (description = 'x') AS SELECT 1, 'it''s' FROM `u`
---
CREATE VIEW `d.v` AS SELECT * FROM ML.PREDICT(MODEL `d.m`, (SELECT 'it\'s' AS input FROM ML.PREDICT(MODEL `d.n`, TABLE `PROJECT_ID.d.t`)))
---
INSERT `d.t` (a, b) VALUES (1, "x"), (2, DEFAULT)
---
INSERT INTO `d.t` (SELECT 1)
---
DELETE `d.t` AS q WHERE q.a = 1
---
DELETE FROM `d.t`
---
UPDATE `d.t` SET a = 1, b = "x" WHERE TRUE
---
TRUNCATE TABLE `d.t`
---
DROP TABLE IF EXISTS `d.t`; DROP VIEW `d.v`
---
CREATE FUNCTION `d.f`() AS (1)
---
MERGE `d.t` USING u ON TRUE WHEN MATCHED THEN DELETE
