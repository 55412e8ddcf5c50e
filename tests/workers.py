"""What pytest's worker processes print goes to standard error: the guarantees' figures would be lost otherwise."""

import os

if os.environ.get("PYTEST_XDIST_WORKER"):
    os.dup2(2, 1)
