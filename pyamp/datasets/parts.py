"""The directory NAME.h5.parts: shards that are done, and a manifest that says of what."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyamp.datasets.storage import file_sha256
from pyamp.errors import PyampError
from pyamp.files import rename_durably


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Make the directory and hold it against a second run; the lock goes when the process does."""
    directory.mkdir(exist_ok=True)
    with open(directory / "lock", "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PyampError(f"{directory}: another run is writing it; wait for it or stop it") from None
        yield


def remove_parts(directory: Path) -> None:
    """Remove what a kill between the last two steps, the dataset written and its parts removed, has left."""
    if directory.exists():
        with locked(directory):
            shutil.rmtree(directory)


@dataclass
class Parts:
    """Shards of a dataset under way.

    A shard counts once the manifest lists it with its hash; the manifest is rewritten whole after every
    shard, so that a kill at any moment costs at most the shards under way.
    """

    directory: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, directory: Path, request: dict[str, Any], trials_per_shard: int) -> "Parts":
        """Begin, or resume what an earlier run of the same request left.

        Raises
        ------
        PyampError
            If the directory holds shards of another request.
        """
        path = directory / "manifest.json"
        if not path.exists():
            parts = cls(directory, {"request": request, "trials_per_shard": trials_per_shard, "shards": {}})
            parts._save()
            return parts
        try:
            manifest = json.loads(path.read_text())
            found = manifest["request"]
        except (ValueError, KeyError, TypeError):
            raise PyampError(f"{path}: not a manifest; remove {directory} and start again") from None
        if found != request:
            key = next(k for k in [*request, *found] if request.get(k) != found.get(k))
            raise PyampError(
                f"{directory}: holds shards of another run ({key} is {found.get(key)!r}, "
                f"{request.get(key)!r} wanted); remove it, or choose another output"
            )
        parts = cls(directory, manifest)
        parts._drop_damaged()
        return parts

    @property
    def trials_per_shard(self) -> int:
        """Trials in every shard; an interrupted run keeps its own."""
        return int(self.manifest["trials_per_shard"])

    def shard(self, index: int) -> Path:
        """File of a shard."""
        return self.directory / f"shard-{index:06d}.h5"

    def n_points(self, index: int) -> int | None:
        """Number of good points in a shard; None while it is not done."""
        entry = self.manifest["shards"].get(str(index))
        return None if entry is None else int(entry["n_points"])

    def add(self, index: int, n_points: int) -> None:
        """Enter a finished shard."""
        entry = {"n_points": n_points, "sha256": file_sha256(self.shard(index))}
        self.manifest["shards"][str(index)] = entry
        self._save()

    def forget_from(self, index: int) -> None:
        """Drop the shards from an index on, as where each continues the one before and that is missing."""
        self.manifest["shards"] = {k: v for k, v in self.manifest["shards"].items() if int(k) < index}
        self._save()

    def enough(self, n_points: int) -> int | None:
        """Number of leading shards, all done, that hold `n_points` points; None while too few are."""
        total = index = 0
        while total < n_points:
            found = self.n_points(index)
            if found is None:
                return None
            total += found
            index += 1
        return index

    def _drop_damaged(self) -> None:
        for index, entry in list(self.manifest["shards"].items()):
            path = self.shard(int(index))
            if not path.exists() or file_sha256(path) != entry["sha256"]:
                del self.manifest["shards"][index]

    def _save(self) -> None:
        temporary = self.directory / "manifest.json.tmp"
        temporary.write_text(json.dumps(self.manifest, indent=1))
        rename_durably(temporary, self.directory / "manifest.json")
