"""Are whole samples of events with a surrogate those of the truth? A small version of benchmarks/validation.py.

The surrogate was hardly trained. 33 comparisons of cross sections and differential ones must have p-values above
3e-4: 1 % of seeds would fail one of them; the seeds are fixed. The surrogate alone must not pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyhepmc
import pytest

from benchmarks._validation import DIPHOTON_JET, Sample, compare, hard_process_sample, showered_sample
from pyamp.errors import PyampError
from pyamp.sherpa import SherpaResult, run_card

LEVEL = 0.01 / 33
BLOCKS: dict[str, dict[str, Any]] = {
    "two_stage": {"X_MAX": "auto", "WARM_UP": 300},
    "roulette": {"N_EFF_OVER_N": 0.7, "WARM_UP": 300},
}


def sample(folder: Path, mode: str, model: Path | None, seed: int) -> Sample:
    settings = {
        "EVENT_OUTPUT": "LHEF[events]",
        "PSI": {"ITMIN": 500},
        "PYAMP": BLOCKS.get(mode, {}),
    }
    result = run_card(mode, model, folder, settings, n_events=4000, seed=seed)
    found = result.cross_section_pb, result.error_pb
    return hard_process_sample(mode, found, folder / "events.lhe", [21, 21, 22, 22, 21], DIPHOTON_JET)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample(tmp_path_factory.mktemp("truth"), "truth", None, 51)


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
def test_second_stages_repair_a_rough_surrogate(
    run_directory: Path, truth: Sample, rough: Path, mode: str
) -> None:
    for comparison in compare(truth, sample(run_directory, mode, rough, 52)):
        assert comparison.p_value > LEVEL, comparison


def test_the_rough_surrogate_alone_does_not_pass(run_directory: Path, truth: Sample, rough: Path) -> None:
    found = compare(truth, sample(run_directory, "surrogate", rough, 53))
    assert min(comparison.p_value for comparison in found) < 1e-6


def showered(folder: Path, mode: str, model: Path | None, seed: int, n_events: int) -> SherpaResult:
    settings = {
        "SHOWER_GENERATOR": "CSS",
        "BEAM_REMNANTS": True,
        "SCALES": "METS" + 3 * "{Abs2(p[2]+p[3])}",
        "USERHOOKS": [*(["PyAmp"] if mode != "truth" else []), "PyAmpParticles"],
        "PSI": {"ITMIN": 500},
        "PYAMP": BLOCKS.get(mode, {}),
    }
    return run_card(mode, model, folder, settings, n_events=n_events, seed=seed)


def test_particles_after_a_shower(tmp_path: Path, rough: Path) -> None:
    """The second stage comes after the shower, and must change nothing in it."""
    samples = {}
    for mode, seed in (("truth", 54), ("roulette", 55)):
        model = None if mode == "truth" else rough
        result = showered(tmp_path / mode, mode, model, seed, 1000)
        found = result.cross_section_pb, result.error_pb
        samples[mode] = showered_sample(mode, found, tmp_path / mode / "particles.hepmc")
    for comparison in compare(samples["truth"], samples["roulette"]):
        assert comparison.p_value > LEVEL, comparison


def test_particles_are_those_of_accepted_events(run_directory: Path, rough: Path) -> None:
    """As many as Sherpa has, with its cross section, and all that the beams bring."""
    result = showered(run_directory, "two_stage", rough, 56, 600)
    second = result.summary["second_stage"]
    assert second["seen"] > second["accepted"]
    weight = trials = 0.0
    with pyhepmc.open(str(run_directory / "particles.hepmc")) as file:
        events = list(file)
    for event in events:
        weight += event.weights[0]
        trials += event.weights[1]
        final = [p for p in event.particles if p.status == 1]
        assert sum(p.pid == 22 for p in final) >= 2
        assert sum(p.momentum.e for p in final) == pytest.approx(13000, rel=1e-6)
        assert sum(p.momentum.pz for p in final) == pytest.approx(0, abs=0.01)
    assert len(events) == result.n_events == 600
    assert weight / trials == pytest.approx(result.cross_section_pb, rel=1e-4)
    assert events[-1].cross_section.xsec() == pytest.approx(result.cross_section_pb, rel=1e-4)
    assert events[-1].cross_section.xsec_err() == pytest.approx(result.error_pb, rel=0.01)


def test_particles_before_the_second_stage_are_refused(run_directory: Path, golden: Path) -> None:
    settings = {"USERHOOKS": ["PyAmpParticles", "PyAmp"]}
    with pytest.raises(
        PyampError, match=r"PyAmpParticles before PyAmp.*give USERHOOKS: \[PyAmp, PyAmpParticles\]"
    ):
        run_card("two_stage", golden, run_directory, settings, timeout=60)


def test_particles_that_cannot_be_written(run_directory: Path) -> None:
    settings = {"USERHOOKS": ["PyAmpParticles"], "PYAMP_PARTICLES": {"FILE": "/nowhere/particles.hepmc"}}
    with pytest.raises(PyampError, match=r"/nowhere/particles\.hepmc: the particles cannot be written there"):
        run_card("truth", None, run_directory, settings, timeout=60)
