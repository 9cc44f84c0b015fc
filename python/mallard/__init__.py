"""BigQuery ML's inference inside DuckDB.

    import mallard
    con = mallard.connect()
    mallard.run(con, "CREATE MODEL m OPTIONS (MODEL_TYPE='TENSORFLOW', MODEL_PATH='model/*')")
    con.sql("FROM mallard.predict('m', 'FROM df')")

The connection is DuckDB's own. docs/extension.md of Mallard says what its functions see.
"""

import os
import pathlib
import tempfile

import duckdb

__all__ = ["connect", "load", "run", "extension"]

_EXACT = ("1.5.2", "1.5.3", "1.5.4", "1.5.5")  # these take a file that names them; later ones take the one for 1.5.6
_FOOTER = 512  # bytes: eight fields of 32 and the signature


def extension(version=duckdb.__version__):
    """Gives the file to LOAD into a version of DuckDB.

    It looks in the folder that MALLARD_EXTENSION names, as `make extension` fills it, then in the package.
    """
    folder = "v" + version if version in _EXACT else "v1.5.6+"
    built = os.environ.get("MALLARD_EXTENSION")
    if built:
        return _found(pathlib.Path(built) / folder / "mallard.duckdb_extension")
    here = pathlib.Path(__file__).resolve().parent
    packed = here / "mallard.duckdb_extension"
    if not packed.exists():  # pip install --editable
        return _found(here.parent.parent / "build" / "extension" / folder / "mallard.duckdb_extension")
    if version not in _EXACT:
        return str(packed)
    return _remade(packed, version)


def _found(file):
    if not file.exists():
        raise FileNotFoundError(f"there is no {file}: `make extension` builds it, and MALLARD_EXTENSION names its folder")
    return str(file)


def _remade(packed, version):
    """Writes the footer of an older DuckDB below the same library: fields 5 and 3 from the end are version and ABI."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "mallard" / "extension"
    stamp = f"{packed.stat().st_size:x}-{packed.stat().st_mtime_ns:x}"
    file = cache / f"v{version}-{stamp}" / "mallard.duckdb_extension"
    if not file.exists():
        data = bytearray(packed.read_bytes())
        for field, text in ((5, "v" + version), (3, "C_STRUCT_UNSTABLE")):
            at = len(data) - _FOOTER + 32 * field
            data[at : at + 32] = text.encode().ljust(32, b"\0")
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as f:
            f.write(data)
        os.replace(f.name, file)
    return str(file)


def load(con):
    """Loads Mallard into the database of a connection, which allows unsigned extensions; gives the connection."""
    con.execute("LOAD '" + extension().replace("'", "''") + "'")
    return con


def connect(database=":memory:", read_only=False, config=None):
    """Opens a database as duckdb.connect does, with Mallard loaded."""
    return load(duckdb.connect(database, read_only=read_only, config={**(config or {}), "allow_unsigned_extensions": "true"}))


def run(con, statements):
    """Runs statements of Mallard at once and gives what they tell, or the rows of the last one.

    con.sql(…) of a FROM mallard('…') runs them when its rows are read, and again when they are read again.
    """
    return con.execute("FROM mallard('" + statements.replace("'", "''") + "')").fetchall()
