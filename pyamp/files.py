"""Files that are either whole or not there."""

import os
from pathlib import Path

from pyamp.errors import PyampError


def require_parent(path: Path) -> None:
    """Refuse a file to be written whose directory does not exist."""
    if not path.absolute().parent.is_dir():
        raise PyampError(f"{path}: the directory {path.absolute().parent} does not exist; create it")


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
