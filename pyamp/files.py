"""Files that are either whole or not there."""

import os
from pathlib import Path


def rename_durably(temporary: Path, path: Path) -> None:
    """Bring a finished file to disk and rename it into place."""
    with open(temporary, "rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(temporary, path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
