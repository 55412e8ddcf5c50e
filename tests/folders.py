"""A folder for the data of one run of the tests or of a benchmark."""

import atexit
import os
import shutil
import tempfile


def data_folder(prefix: str) -> str:
    """What DATA_DIR says; where it says nothing, a new folder that is gone when this process ends.

    The processes that it starts find it in DATA_DIR and leave it alone.
    """
    if found := os.environ.get("DATA_DIR"):
        return found
    folder, mine = tempfile.mkdtemp(prefix=prefix), os.getpid()

    def remove() -> None:
        if os.getpid() == mine:  # not in a child that was forked and ends sooner
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
    return folder
