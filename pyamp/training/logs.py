"""What a training run writes as it goes: ``log.csv`` and TensorBoard events, continued when resumed."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Self

from torch.utils.tensorboard import SummaryWriter

COLUMNS = ("step", "training_loss", "validation_loss", "learning_rate")


class Logs:
    """Rows of a run; those after ``first_step`` of an earlier, interrupted part are dropped."""

    def __init__(self, directory: Path, first_step: int) -> None:
        path = directory / "log.csv"
        kept = []
        if first_step and path.exists():
            with path.open(newline="") as file:
                kept = [row for row in csv.DictReader(file) if int(row["step"]) <= first_step]
        self._file = path.open("w", newline="")
        self._csv = csv.DictWriter(self._file, COLUMNS)
        self._csv.writeheader()
        self._csv.writerows(kept)
        self._tensorboard = SummaryWriter(str(directory / "tensorboard"), purge_step=first_step or None)

    def write(self, step: int, training_loss: float, validation_loss: float, learning_rate: float) -> None:
        values = dict(zip(COLUMNS, (step, training_loss, validation_loss, learning_rate), strict=True))
        self._csv.writerow(values)
        self._file.flush()
        for name in COLUMNS[1:]:
            self._tensorboard.add_scalar(name, values[name], step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()
        self._tensorboard.close()
