"""The gluon density of an LHAPDF grid file at one scale of its grid: enough to integrate a cross section by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline


def gluon_density(directory: Path, scale: float) -> Callable[[np.ndarray], np.ndarray]:
    """x·g(x) at Q = `scale` GeV, which must be a knot of the grid; cubic in ln x as LHAPDF's own interpolation."""
    (path,) = directory.glob("*_0000.dat")
    for block in path.read_text().split("---")[1:]:
        lines = block.strip().splitlines()
        if len(lines) < 4:
            continue
        x, q, flavours = (np.array(line.split(), dtype=float) for line in lines[:3])
        at = np.flatnonzero(np.isclose(q, scale, rtol=1e-4))
        if len(at):
            values = np.array([line.split() for line in lines[3:]], dtype=float).reshape(len(x), len(q), -1)
            (gluon,) = np.flatnonzero(flavours == 21)
            spline = CubicSpline(np.log(x), values[:, at[0], gluon])
            return lambda points: np.asarray(spline(np.log(points)))
    raise ValueError(f"{path}: no knot at {scale} GeV")
