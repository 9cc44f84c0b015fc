"""Copies the extension that `make extension` has built into the package."""

import os
import pathlib
import shutil

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
BUILT = pathlib.Path(os.environ.get("MALLARD_EXTENSION", HERE.parent / "build" / "extension")) / "v1.5.6+" / "mallard.duckdb_extension"


class WithExtension(build_py):
    def run(self):
        if not BUILT.exists():
            raise SystemExit(f"there is no {BUILT}: run `make extension` in {HERE.parent} first (it takes minutes the first time)")
        super().run()
        if not self.editable_mode:
            shutil.copyfile(BUILT, pathlib.Path(self.build_lib) / "mallard" / "mallard.duckdb_extension")


setup(cmdclass={"build_py": WithExtension})
