"""Batches of points that live in memory: whole-epoch permutations, each a function of (seed, epoch) alone."""

from __future__ import annotations

import numpy as np
import torch


class Batches:
    """Batch number ``step`` of an endless shuffled walk through n points.

    A permutation depends on the seed and the epoch only, so a resumed run sees the same batches.
    """

    def __init__(self, n_points: int, batch_size: int, seed: int) -> None:
        self._n_points = n_points
        self._batch_size = min(batch_size, n_points)
        self._seed = seed
        self._epoch = -1
        self._order = torch.empty(0, dtype=torch.int64)

    def indices(self, step: int) -> torch.Tensor:
        """Indices of the batch, ``(batch_size,)``."""
        per_epoch = self._n_points // self._batch_size
        epoch, position = divmod(step, per_epoch)
        if epoch != self._epoch:
            # Torch's generator knows 32 bits of a seed; this one takes both numbers as its key.
            generator = np.random.Generator(np.random.Philox(key=[self._seed, epoch]))
            self._order = torch.from_numpy(generator.permutation(self._n_points))
            self._epoch = epoch
        begin = position * self._batch_size
        return self._order[begin : begin + self._batch_size]
