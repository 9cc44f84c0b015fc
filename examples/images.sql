-- A folder of images as an object table: no bucket, no account, no network.
-- Run from the root of the repository: bin/mallard -f examples/images.sql

CREATE SCHEMA IF NOT EXISTS demo;

CREATE OR REPLACE EXTERNAL TABLE demo.images
OPTIONS (object_metadata = 'SIMPLE', uris = ['internal/image/testdata/*.jpg']);

-- What is there, without reading a byte of it.
SELECT regexp_extract(uri, '[^/]+$') AS file, content_type, size
FROM demo.images
ORDER BY file;

-- The brightness of each image, decoded and made as large as a model would want it. A file that is no image gives NULL.
SELECT
  regexp_extract(uri, '[^/]+$') AS file,
  round(list_avg(ml_image_struct(ML.RESIZE_IMAGE(ML.DECODE_IMAGE(data), 32, 32, FALSE))._field_2), 3) AS brightness
FROM demo.images
ORDER BY brightness DESC;
