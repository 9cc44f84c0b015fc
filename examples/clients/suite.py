"""What the suites share: each check is a call of a client and what it must give."""

import os
import sys
import time
import traceback


class Suite:
    """Runs checks one after the other, prints a line for each, and counts."""

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0

    def check(self, what, call, want=None):
        """call() must give want: a value, or a function that judges the value; None takes anything."""
        begin = time.time()
        try:
            got = call()
            if callable(want):
                assert want(got), f"got {got!r}"
            elif want is not None:
                assert got == want, f"got {got!r}, want {want!r}"
            self.passed += 1
            print(f"ok    {self.name}: {what} ({time.time() - begin:.2f} s)", flush=True)
            return got
        except Exception as e:  # a suite goes on
            self.failed += 1
            print(f"FAIL  {self.name}: {what}: {type(e).__name__}: {str(e)[:600]}", flush=True)
            if os.environ.get("TRACE"):
                traceback.print_exc()
            return None

    def fails(self, what, call, kind, word=""):
        """call() must raise an exception of that name, with a word in its text."""

        def judged():
            try:
                call()
            except Exception as e:
                assert type(e).__name__ == kind and word in str(e), f"{type(e).__name__}: {e}"
                return True
            raise AssertionError("it did not fail")

        self.check(what, judged)

    def end(self):
        """Says how many passed; the program's exit code is 1 when one failed."""
        print(f"{self.name}: {self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)
