"""Runs of Sherpa whose events can be followed one by one: those with the same seed share their first stage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import pyamp
from pyamp.events import read_events
from pyamp.sherpa import SherpaResult, run_card
from pyamp.truth import truth

LEGS = [21, 21, 22, 22, 21]
SEED = 31  # RANDOM_SEED of the runs that share their first stage
DECISIONS = 5  # PYAMP: {SEED}


@dataclass(frozen=True)
class Run:
    """A run of Sherpa and its events as the file has them."""

    result: SherpaResult
    momenta: np.ndarray
    weights: np.ndarray

    @property
    def second_stage(self) -> dict[str, Any]:
        second: dict[str, Any] = self.result.summary["second_stage"]
        return second


def sherpa(
    folder: Path,
    mode: str,
    model: Path | None,
    n_events: int,
    seed: int = SEED,
    more: dict[str, Any] | None = None,
    **block: Any,
) -> Run:
    """A run with ``block`` in PYAMP and ``more`` beside it."""
    settings = {
        **(more or {}),
        "EVENT_OUTPUT": "LHEF[events]",
        "EVENT_OUTPUT_PRECISION": 17,
        "PSI": {"ITMIN": 500},
        "PYAMP": {"SEED": DECISIONS, **block},
    }
    result = run_card(mode, model, folder, settings, n_events=n_events, seed=seed)
    events = read_events(folder / "events.lhe", LEGS)
    return Run(result, events.momenta, events.weights)


@dataclass(frozen=True)
class FirstStage:
    """What the first stage accepts, and what the second must think of it."""

    run: Run
    x: np.ndarray
    relative_sigma: np.ndarray


def first_stage(folder: Path, model: Path, n_events: int) -> FirstStage:
    run = sherpa(folder, "surrogate", model, n_events)
    prediction = pyamp.Evaluator(model, policy="nan")(run.momenta)
    x = truth("gg_to_aag").me2(run.momenta) / np.asarray(prediction.amplitude)
    sigma = np.hypot(prediction.sigma_syst, prediction.sigma_stat) / prediction.amplitude
    assert np.isfinite(x).all()
    return FirstStage(run, x, sigma)


def same_events(run: Run, first: FirstStage, index: np.ndarray) -> None:
    np.testing.assert_allclose(run.momenta, first.run.momenta[index][: len(run.momenta)], atol=1e-6)
