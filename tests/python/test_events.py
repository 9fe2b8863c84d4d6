"""Are momenta, legs and weights read back as they were written, by the formats' own libraries?"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyhepmc
import pylhe
import pytest

import pyamp
from pyamp.datasets import generate
from pyamp.errors import PyampError
from pyamp.events import read_events
from pyamp.phase_space import PhaseSpace

LEGS = [21, 21, 22, 22, 21]
CROSS_SECTION = 0.7


@pytest.fixture(scope="module")
def momenta() -> np.ndarray:
    return PhaseSpace("gg_to_aag_lhc13").sample(200, seed=5).momenta


def write_lhe(path: Path, momenta: np.ndarray, legs: list[int], strategy: int = 3) -> None:
    info = pylhe.LHEInitInfo(2212, 2212, 6500.0, 6500.0, 0, 0, 0, 0, strategy, 1)
    process = pylhe.LHEProcInfo(CROSS_SECTION, 0.01, CROSS_SECTION, 1)
    init = pylhe.LHEInit(initInfo=info, generators=[], procInfo=[process])

    def event(k: int, point: np.ndarray) -> pylhe.LHEEvent:
        particles = [
            pylhe.LHEParticle(leg, -1 if i < 2 else 1, 0, 0, 0, 0, p[1], p[2], p[3], p[0], 0.0, 0.0, 9.0)
            for i, (leg, p) in enumerate(zip(legs, point.tolist(), strict=True))
        ]
        weight = 1.0 if strategy == 3 else 0.5 + k
        return pylhe.LHEEvent(
            eventinfo=pylhe.LHEEventInfo(len(legs), 1, weight, 91.0, 0.0073, 0.118), particles=particles
        )

    file = pylhe.LHEFile(init=init, events=[event(k, point) for k, point in enumerate(momenta)])
    file.tofile(str(path))


def write_hepmc(path: Path, momenta: np.ndarray, legs: list[int], kind: str) -> None:
    statuses = {"status": (21, 23), "vertex": (11, 11), "beams": (4, 1)}[kind]
    with pyhepmc.open(str(path), "w") as file:
        for k, point in enumerate(momenta.tolist()):
            event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.MM)
            vertex = pyhepmc.GenVertex((0, 0, 0, 0))
            for i, (leg, p) in enumerate(zip(legs, point, strict=True)):
                p_mev = [1e3 * x for x in (p[1], p[2], p[3], p[0])]
                particle = pyhepmc.GenParticle(p_mev, leg, statuses[0] if i < 2 else statuses[1])
                (vertex.add_particle_in if i < 2 else vertex.add_particle_out)(particle)
            event.add_vertex(vertex)
            if kind != "beams":  # a soft photon elsewhere in the event is no leg
                other = pyhepmc.GenVertex((0, 0, 0, 1))
                other.add_particle_in(pyhepmc.GenParticle((0, 0, 1, 1), 22, 2))
                other.add_particle_out(pyhepmc.GenParticle((0, 0, 1, 1), 22, 1))
                event.add_vertex(other)
            if kind == "vertex":
                event.attributes = {"signal_process_vertex": vertex.id}
            event.weights = [0.5 + k]
            file.write(event)


@pytest.mark.parametrize("name", ["events.lhe", "events.lhe.gz"])
def test_les_houches_events(tmp_path: Path, momenta: np.ndarray, name: str) -> None:
    write_lhe(tmp_path / "events.lhe", momenta, LEGS)
    if name.endswith(".gz"):
        (tmp_path / name).write_bytes(gzip.compress((tmp_path / "events.lhe").read_bytes()))
    sample = read_events(tmp_path / name, LEGS)
    assert len(sample) == sample.n_read == 200
    np.testing.assert_allclose(sample.momenta, momenta, rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(sample.weights, CROSS_SECTION)


def test_weighted_les_houches_events(tmp_path: Path, momenta: np.ndarray) -> None:
    write_lhe(tmp_path / "events.lhe", momenta, LEGS, strategy=-4)
    sample = read_events(tmp_path / "events.lhe", LEGS, max_events=10)
    np.testing.assert_allclose(sample.weights, np.arange(10) + 0.5)


@pytest.mark.parametrize("kind", ["status", "vertex", "beams"])
def test_hepmc_events(tmp_path: Path, momenta: np.ndarray, kind: str) -> None:
    write_hepmc(tmp_path / "events.hepmc", momenta, LEGS, kind)
    sample = read_events(tmp_path / "events.hepmc", LEGS)
    np.testing.assert_allclose(sample.momenta, momenta, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(sample.weights, np.arange(200) + 0.5)


def test_rounded_points_are_points_again(tmp_path: Path, momenta: np.ndarray) -> None:
    """Text has some ten digits: as they stand such momenta are refused, or off where the amplitude is singular."""
    write_lhe(tmp_path / "events.lhe", momenta, LEGS)
    p = read_events(tmp_path / "events.lhe", LEGS).momenta
    truth = pyamp.truth("gg_to_aag")
    np.testing.assert_allclose(truth.me2(p), truth.me2(momenta), rtol=1e-4)
    total = p[:, :2].sum(axis=1) - p[:, 2:].sum(axis=1)
    assert np.abs(total[:, [0, 3]] / p[:, :1, 0]).max() < 1e-14
    np.testing.assert_array_less(np.abs(p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(-1)), 1e-13 * p[..., 0] ** 2)


def test_legs_come_in_the_order_asked_for(tmp_path: Path, momenta: np.ndarray) -> None:
    write_lhe(tmp_path / "events.lhe", momenta, LEGS)
    plain = read_events(tmp_path / "events.lhe", LEGS)
    other = read_events(tmp_path / "events.lhe", [21, 21, 21, 22, 22])
    np.testing.assert_allclose(other.momenta, plain.momenta[:, [0, 1, 4, 2, 3]], rtol=1e-12, atol=1e-9)


def test_other_processes_are_passed_over(tmp_path: Path, momenta: np.ndarray) -> None:
    write_lhe(tmp_path / "a.lhe", momenta[:3], LEGS)
    write_lhe(tmp_path / "b.lhe", momenta[3:5], [21, 1, 22, 22, 1])
    first, second = ((tmp_path / name).read_text() for name in ("a.lhe", "b.lhe"))
    events = second[second.index("<event") : second.rindex("</event>") + 8]
    (tmp_path / "both.lhe").write_text(first.replace("<event", events + "\n<event", 1))
    sample = read_events(tmp_path / "both.lhe", LEGS)
    assert (len(sample), sample.n_read) == (3, 5)


def break_mass(path: Path, momenta: np.ndarray) -> None:
    massive = momenta.copy()
    massive[1, 3, 0] *= 1.01
    write_lhe(path, massive, LEGS)


@pytest.mark.parametrize(
    ("write", "complaint"),
    [
        (lambda path, momenta: None, "cannot read: No such file or directory"),
        (lambda path, momenta: path.write_text("something"), "neither Les Houches nor HepMC3 events found"),
        (lambda path, momenta: write_lhe(path, momenta[:1], [21, 1, 22, 22, 1]), "legs 21 1 22 22 1 found"),
        (break_mass, "leg 4 of event 2 has |E² − p²| = 2.0e-02 E², massless legs expected"),
    ],
)
def test_faults_are_one_line(tmp_path: Path, momenta: np.ndarray, write: Any, complaint: str) -> None:
    path = tmp_path / "events.lhe"
    write(path, momenta)
    with pytest.raises(PyampError) as error:
        read_events(path, LEGS)
    assert str(error.value).startswith(f"{path}: ")
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_truncated_file_says_where(tmp_path: Path, momenta: np.ndarray) -> None:
    path = tmp_path / "events.lhe"
    write_lhe(path, momenta, LEGS)
    text = path.read_text()
    path.write_text(text[: 2 * len(text) // 3])
    with pytest.raises(PyampError, match=r"events.lhe: event \d+ cannot be read"):
        read_events(path, LEGS)


def test_a_dataset_of_events(tmp_path: Path, momenta: np.ndarray) -> None:
    """Events distributed like the cross section are the amplitude sample, whatever generated them."""
    path = tmp_path / "events.lhe"
    write_lhe(path, np.concatenate([momenta, momenta[:1] * 1e-2]), LEGS)  # the last one fails the cuts
    dataset = generate("gg_to_aag_lhc13", 150, tmp_path / "events.h5", momenta=path, points_per_shard=40)
    np.testing.assert_allclose(dataset.momenta, momenta[:150], rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(dataset.me2, pyamp.truth("gg_to_aag").me2(dataset.momenta), rtol=1e-12)
    np.testing.assert_allclose(dataset.me2 * dataset.measure, CROSS_SECTION * 200 / 201, rtol=1e-12)
    assert '"source": "Les Houches events"' in dataset.info.recorded
    flat = PhaseSpace("gg_to_aag_lhc13").weights_at(dataset.momenta)
    np.testing.assert_allclose(dataset.sampling_weight * flat, dataset.phase_space_weight, rtol=1e-12)
    train, test = dataset.split(100, 50)
    np.testing.assert_array_equal(test.alpha_s, 0.118)
    assert len(train.pdf_weight) == 100
    with pytest.raises(PyampError, match="200 events within gg_to_aag_lhc13 found, 201 points wanted"):
        generate("gg_to_aag_lhc13", 201, tmp_path / "more.h5", momenta=path)
    with pytest.raises(PyampError, match="importance has no meaning beside momenta"):
        generate("gg_to_aag_lhc13", 10, tmp_path / "more.h5", momenta=path, importance=0.5)
    with pytest.raises(PyampError, match="none of 201 events lies within"):
        generate("gg_to_aag_1tev", 10, tmp_path / "more.h5", momenta=path)
    assert not (tmp_path / "more.h5").exists()


def test_weights_at_points_of_its_own() -> None:
    for name in ("gg_to_aag_lhc13", "gg_to_aag_1tev"):
        space = PhaseSpace(name)
        sample = space.sample(500, seed=8)
        np.testing.assert_allclose(space.weights_at(sample.momenta), sample.weights, rtol=1e-11)
