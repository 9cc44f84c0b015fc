"""Runs the blocks of Python of a page, each by itself."""

import re
import sys

from suite import Suite

page = open(sys.argv[1], encoding="utf-8").read()
s = Suite("pages")
for block in re.finditer(r"^```python\n(.*?)^```$", page, re.M | re.S):
    line = page.count("\n", 0, block.start()) + 1
    s.check(f"line {line}", lambda: exec(compile(block.group(1), sys.argv[1], "exec"), {}))
assert s.passed + s.failed > 4, "the page has too few blocks"
s.end()
