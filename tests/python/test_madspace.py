"""pyamp's matrix elements inside the real madspace: same numbers, same cross section, events that others can read.

Statistical comparisons ask for 4 standard errors: a false-positive rate of 6e-5 each. Our own seeds are fixed; those of
madspace's unweighting cannot be.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import madspace as ms
import numpy as np
import pylhe
import pytest
import yaml

import pyamp
from examples.madspace_generator import Generator, madspace_cuts
from examples.madspace_generator import main as example
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Process, load_process


def evaluated(path: str | Path, momenta: np.ndarray, alpha_s: np.ndarray | None = None) -> np.ndarray:
    """|M|² that madspace gets, computed on two threads."""
    kind, context = ms.MatrixElement, ms.Context(2)
    api = context.load_matrix_element(pyamp.umami_library(), str(path))
    inputs = [kind.momenta_in] if alpha_s is None else [kind.momenta_in, kind.alpha_s_in]
    function = kind(api, inputs, [kind.matrix_element_out]).function()
    arguments = [momenta] if alpha_s is None else [momenta, alpha_s]
    return np.array(ms.FunctionRuntime(function, context)(*arguments))


def test_surrogate_is_that_of_the_evaluator(model_path: Path, momenta: np.ndarray) -> None:
    expected = pyamp.Evaluator(model_path)(momenta).amplitude
    np.testing.assert_allclose(evaluated(model_path, momenta), expected, rtol=1e-12)


def test_alpha_s_of_each_event(model_path: Path, momenta: np.ndarray) -> None:
    alpha_s = np.linspace(0.09, 0.14, len(momenta))
    expected = pyamp.Evaluator(model_path)(momenta, alpha_s).amplitude
    np.testing.assert_allclose(evaluated(model_path, momenta, alpha_s), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["gg_to_aag", "gg_to_aagg"])
def test_built_in_amplitudes(name: str, tmp_path: Path) -> None:
    points = PhaseSpace(f"{name}_1tev").sample(20, seed=3).momenta
    card = pyamp.provider_card(name, tmp_path / "card.json", alpha_s=0.12, alpha=0.0078)
    expected = pyamp.truth(name, alpha_s=0.12, alpha=0.0078).me2(points)
    np.testing.assert_allclose(evaluated(card, points), expected, rtol=1e-12)


def test_provider_behind_a_card_has_a_process_for_each_thread(tmp_path: Path, momenta: np.ndarray) -> None:
    provider = f"blha:{pyamp.olp_library()}"
    card = pyamp.provider_card(provider, tmp_path / "card.json", blha={"process": "21 21 -> 22 22 21"})
    alpha_s = np.linspace(0.09, 0.14, len(momenta))
    expected = pyamp.truth("gg_to_aag", alpha_s=1.0).me2(momenta) * alpha_s**3
    np.testing.assert_allclose(evaluated(card, momenta, alpha_s), expected, rtol=1e-12)


def test_identical_particles_on_request(tmp_path: Path, momenta: np.ndarray) -> None:
    card = pyamp.provider_card("gg_to_aag", tmp_path / "card.json", identical_particle_factor=True)
    np.testing.assert_allclose(
        evaluated(card, momenta), pyamp.truth("gg_to_aag").me2(momenta) / 2, rtol=1e-12
    )


def test_a_flagged_point_stops_the_host_unless_the_card_says_otherwise(
    model_path: Path, momenta: np.ndarray, tmp_path: Path
) -> None:
    points = momenta[:10].copy()
    points[4] *= 2  # outside the domain
    with pytest.raises(RuntimeError, match="unspecified error"):
        evaluated(model_path, points)
    card = pyamp.provider_card(model_path, tmp_path / "nan.json", policy="nan")
    np.testing.assert_array_equal(np.isnan(evaluated(card, points)), np.arange(10) == 4)
    card = pyamp.provider_card(model_path, tmp_path / "truth.json", policy="truth")
    assert evaluated(card, points)[4] == pytest.approx(pyamp.truth("gg_to_aag").me2(points[4]), rel=1e-12)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="unspecified error"):
        ms.Context(1).load_matrix_element(pyamp.umami_library(), str(tmp_path / "absent.safetensors"))


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Process:
    """gg → γγg at 1 TeV with cuts hard enough for a flat phase space to integrate in seconds."""
    card = yaml.safe_load((resources.files("pyamp") / "cards" / "gg_to_aag_1tev.yaml").read_text())
    card["cuts"]["pt_min"] = {22: [100, 80], 21: 100}
    path = tmp_path_factory.mktemp("process") / "process.yaml"
    path.write_text(yaml.safe_dump(card))
    return load_process(path)


def test_cuts_are_ours(process: Process) -> None:
    card = load_process("gg_to_aag_1tev")
    loose = PhaseSpace(card.model_copy(update={"cuts": type(card.cuts)(pt_min={21: 5})}))
    momenta = loose.sample(20_000, seed=6).momenta
    inside = ms.FunctionRuntime(madspace_cuts(process).function(), ms.Context(1))(momenta)
    passed = process.passes_cuts(momenta)
    assert 0.2 < passed.mean() < 0.9
    np.testing.assert_array_equal(np.asarray(inside).astype(bool), passed)


@pytest.mark.parametrize("what", ["truth", "surrogate"])
def test_cross_section(what: str, process: Process, model_path: Path, tmp_path: Path) -> None:
    source = "gg_to_aag" if what == "truth" else model_path
    sample = PhaseSpace(process).trials(200_000, seed=5)
    if what == "truth":
        me2 = pyamp.truth("gg_to_aag").me2(sample.momenta)
    else:
        me2 = pyamp.Evaluator(model_path)(sample.momenta).amplitude
    expected = sample.integrate(me2)
    card = pyamp.provider_card(source, tmp_path / "card.json", identical_particle_factor=True)
    generator = Generator(card, process, seed=7)
    generator.adapt(10_000, 4)
    found = generator.integrate(60_000)
    error = np.hypot(found[1], expected[1])
    assert error < 0.03 * expected[0]  # or the comparison means nothing
    assert abs(found[0] - expected[0]) < 4 * error


def test_unweighted_events_are_read_back(process: Process, tmp_path: Path) -> None:
    card = pyamp.provider_card("gg_to_aag", tmp_path / "card.json", identical_particle_factor=True)
    generator = Generator(card, process, seed=8)
    generator.adapt(10_000, 4)
    cross_section = generator.integrate(40_000)
    events, _ = generator.unweighted(1000)
    path = tmp_path / "events.lhe"
    generator.write_lhe(path, events, cross_section)
    file = pylhe.LHEFile.fromfile(str(path), generator=False)
    assert file.init.procInfo[0].xSection == pytest.approx(cross_section[0], rel=1e-6)
    read = list(file.events)
    assert len(read) == len(events.weights) >= 1000
    assert [int(p.id) for p in read[0].particles] == list(process.pdg_ids)
    assert [int(p.status) for p in read[0].particles] == [-1, -1, 1, 1, 1]
    weights = np.array([event.eventinfo.weight for event in read])
    assert weights.mean() == pytest.approx(cross_section[0], rel=1e-6)
    momenta = np.array([[[p.e, p.px, p.py, p.pz] for p in event.particles] for event in read])
    np.testing.assert_allclose(momenta, events.momenta, rtol=1e-6, atol=1e-6)
    assert process.passes_cuts(events.momenta).all()

    def mean(points: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
        """Mean transverse momentum of the gluon and its standard error."""
        pt = np.hypot(points[:, 4, 1], points[:, 4, 2])
        average = np.average(pt, weights=weight)
        return average, np.sqrt((weight**2 * (pt - average) ** 2).sum()) / weight.sum()

    weighted = generator.draw(40_000)
    ours, theirs = mean(momenta, weights), mean(weighted.momenta, weighted.weights)
    assert abs(ours[0] - theirs[0]) < 4 * np.hypot(ours[1], theirs[1])


def test_example_as_it_stands(tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "events.lhe"
    arguments = [str(model_path), "--events", "10", "--points", "2000", "--output", str(path)]
    example(arguments)
    assert "points/s" in capsys.readouterr().out
    assert len(list(pylhe.LHEFile.fromfile(str(path)).events)) >= 10
    with pytest.raises(pyamp.PyampError, match="--pdf goes with a process card that has hadron beams"):
        example([*arguments, "--process", "gg_to_aag_lhc13"])
