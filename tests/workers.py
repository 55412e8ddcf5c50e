"""What tests print in worker processes goes to standard error: the guarantees' figures would be lost otherwise."""

import os

import pytest

if os.environ.get("PYTEST_XDIST_WORKER"):
    os.dup2(2, 1)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """A worker tells its parent what became of its tests; it need not tell us too."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.unregister(name="terminalreporter")
