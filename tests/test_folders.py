"""A run of the tests or of a benchmark leaves no folder of its own behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = """
import os, sys, tempfile
from pathlib import Path
from importlib import import_module
folder = import_module(sys.argv[1]).DATA_DIR
if os.fork() == 0:
    sys.exit()  # as a child does that ends sooner
os.wait()
print(folder.is_dir(), folder.parent == Path(tempfile.gettempdir()))
"""


@pytest.mark.parametrize("settings", ["tests.settings", "bench.settings"])
@pytest.mark.parametrize("given", [False, True])
def test_what_reads_the_settings_leaves_nothing_behind(settings: str, given: bool, tmp_path: Path) -> None:
    temporary, theirs = tmp_path / "temporary", tmp_path / "theirs"
    temporary.mkdir()
    theirs.mkdir()
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    environment |= {"TMPDIR": str(temporary), **({"DATA_DIR": str(theirs)} if given else {})}
    done = subprocess.run(
        [sys.executable, "-c", CODE, settings], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True", str(not given)], done.stderr[-2000:]
    assert list(temporary.iterdir()) == []
    assert theirs.is_dir()
