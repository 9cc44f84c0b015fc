// Package objecttable shows the objects of a bucket or a folder as rows of a table, reads their bytes lazily and works
// on images, all in SQL on DuckDB. Start with New and Runtime.Register.
//
// # Tables
//
// Table is what CREATE EXTERNAL TABLE … OPTIONS (object_metadata = 'SIMPLE', uris = […]) says. Its rows are those of the
// table function mallard_objects, in the columns that BigQuery fixes
// (https://cloud.google.com/bigquery/docs/object-table-introduction). Only the columns that a query uses are asked of the
// store, pages of a listing are passed on as they come, and a LIMIT ends the listing.
//
// # Bytes
//
// object_bytes(uri [, generation [, authorizer]]) reads objects side by side, within a memory limit, pinned to the
// generation. Between chunks it reads ahead what a scan has announced. An object that is gone, changed or forbidden
// gives NULL and a note, or an error where Query.Strict is set.
//
// A scan cuts its chunks so that the bytes of one are bounded (Options.MaxMemory). Behind a filter or a join they stay so
// only where enable_caching_operators is false: DuckDB otherwise joins up chunks of less than 64 rows until there are
// 2,048. Query.BindsBytes tells for which statements a connection should set it. Rows that come from a sort, an aggregate or a
// stored table are 2,048 a chunk in any case; more than Options.MaxChunk in one is an error.
//
// While object_bytes waits on one of DuckDB's threads, the thread that runs the statement asks for tasks in a loop that never
// sleeps (https://github.com/duckdb/duckdb/issues/22178, mended by its pull request 24132 in a later version). Where cores
// are few and the bucket is as near as memory, that is what reading costs over the bare client.
//
// # References
//
// obj_make_ref, obj_fetch_metadata, obj_get_access_url and obj_get_read_url are BigQuery's OBJ functions
// (https://cloud.google.com/bigquery/docs/reference/standard-sql/objectref_functions), for single refs. object_bytes(ref)
// reads one; object_signed_url(uri, authorizer) is for EXTERNAL_OBJECT_TRANSFORM.
//
// # Images
//
// ml_decode_image, ml_resize_image, ml_convert_color_space and ml_convert_image_type take and give
// the compact form of package image; ml_image_struct and ml_image_blob change to and from BigQuery's STRUCT.
//
// It reaches no cloud itself: Host lends it a Store for each kind of URI.
package objecttable
