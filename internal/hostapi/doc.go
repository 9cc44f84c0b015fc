// Package hostapi is DuckDB's C API by way of a DuckDB that has loaded Mallard as an extension: linked in place of libduckdb, with the
// tags duckdb_use_static_lib and mallard_loadable, it makes duckdb-go work on the host's database as on one that it has opened.
//
// names.txt has the functions of the host's table in its order, which is the order of duckdb_ext_api_v1 in DuckDB's
// duckdb_extension.h (https://duckdb.org/docs/stable/clients/c/api). It is the same in 1.5.2 to 1.5.6 and 2.0.1.
package hostapi
