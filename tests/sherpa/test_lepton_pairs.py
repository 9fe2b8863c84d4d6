"""Lepton pairs by `Integrator: PyAmp`: is the integral right, and is it sharp, on a Z peak that flat points hardly hit?

Cross sections against Comix on Sherpa's own channels, at a fixed energy and with hadron beams, and spectra against
pyamp's flat points. Seeds are fixed; each comparison of numbers asks for 4 standard errors (false-positive rate 6e-5),
each of spectra for a p-value above 1e-4. Errors are bounded too: without a map for the peak they are some times larger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from scipy.stats import chi2

import pyamp
from pyamp.datasets import Dataset, generate_from_sherpa
from pyamp.phase_space import PhaseSpace
from pyamp.processes import load_process
from pyamp.sherpa import SherpaResult, card_path, run
from pyamp.truth import Truth
from tests.sherpa.sherpa_alone import sherpa_alone
from tests.sherpa.test_normalisation import agree

EEDD, EEG, NNG = "21 21 -> 11 -11 1 -1", "1 -1 -> 11 -11 21", "1 -1 -> 12 -12 21"
ORDERS = {EEDD: {"QCD": 2, "EW": 2}, EEG: {"QCD": 1, "EW": 2}, NNG: {"QCD": 1, "EW": 2}}
JETS: list[Any] = [["PT", 93, 20, "E_CMS"], ["DR", 93, 93, 0.4, 1000]]
LEPTONS: list[Any] = [["PT", 90, 20, "E_CMS"], ["DR", 11, -11, 0.4, 1000]]
PEAK, LOW = ["Mass", 11, -11, 66, 116], ["Mass", 11, -11, 12, 30]
HADRONS = {
    "BEAMS": 2212,
    "BEAM_ENERGIES": 6500,
    "PDF_LIBRARY": "LHAPDFSherpa",
    "PDF_SET": "PDF4LHC21_40_pdfas",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        base = tmp_path_factory.mktemp("lepton_pairs")
        patch.setenv("PYAMP_CACHE", str(base / "cache"))
        yield base


def beams(process: str) -> dict[str, Any]:
    return {"BEAMS": [int(leg) for leg in process.split()[:2]]}


def settings(folder: Path, process: str) -> dict[str, Any]:
    block = {"Order": ORDERS[process], "Loop_Generator": "PyAmp", "Enable_MHV": 10, "Integrator": "PyAmp"}
    name = "_".join(process.replace("->", "to").split())
    truth = pyamp.provider_card(f"sherpa:{process}", folder / f"{name}.json")
    return {"PYAMP": {"MODE": "truth", "TRUTH": truth}, "PROCESSES": [{process: block}], "EW_SCHEME": "Gmu"}


def weighted(folder: Path, name: str, process: str, n_events: int = 20_000, **others: Any) -> SherpaResult:
    overrides = {
        **settings(folder, process),
        "EVENT_GENERATION_MODE": "Weighted",
        "PSI": {"ITMIN": 500},
        **others,
    }
    return run(card_path("partonic"), folder / name, overrides, n_events=n_events, seed=3)


@pytest.mark.parametrize(
    ("name", "process", "hadronic", "selectors", "precision"),
    [
        ("photon_and_z", EEDD, False, [*JETS, *LEPTONS], 0.02),
        ("z_peak", EEDD, False, [*JETS, *LEPTONS, PEAK], 0.02),
        ("photon", EEG, False, [*JETS, *LEPTONS, LOW], 0.02),
        ("hadronic_photon_and_z", EEG, True, [*JETS, *LEPTONS], 0.01),
        ("hadronic_z_peak", EEG, True, [*JETS, *LEPTONS, PEAK], 0.01),
        ("hadronic_neutrinos", NNG, True, JETS, 0.01),
    ],
)
def test_cross_sections_are_sherpas_own(
    folder: Path, name: str, process: str, hadronic: bool, selectors: list[Any], precision: float
) -> None:
    common = {**(HADRONS if hadronic else beams(process)), "SELECTORS": selectors, "EW_SCHEME": "Gmu"}
    found = weighted(folder, name, process, **common)
    expected = sherpa_alone(folder / f"{name}_alone", process, ORDERS[process], 0.01, **common)
    agree((found.cross_section_pb, found.error_pb), expected, precision)


def test_a_cut_on_the_mass_is_where_points_begin(folder: Path) -> None:
    """Far off the peak most points of channels that ignored the cut would fail it."""
    kept = [
        weighted(folder, f"low_{kind}", EEG, 2000, **beams(EEG), SELECTORS=[*JETS, *LEPTONS, low])
        for kind, low in (("mass", LOW), ("nothing", ["Mass", 11, -11, 0, 30]))
    ]
    shares = [result.n_events / result.summary["sherpa"]["trials"] for result in kept]
    assert shares[0] > 1.2 * shares[1]


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    return pyamp.truth(f"sherpa:{EEDD}")


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Dataset:
    """g g → e⁻ e⁺ d dbar at 250 GeV, where flat points do find the peak."""
    card = {
        "name": "gg_to_eedd",
        "amplitude": f"sherpa:{EEDD}",
        "pdg_ids": [21, 21, 11, -11, 1, -1],
        "energy": {"sqrt_s_hat": 250},
        "cuts": {"pt_min": {"11": 20, "1": 20}, "delta_r_min": {"11,11": 0.4, "1,1": 0.4}},
    }
    (folder / "process.yaml").write_text(yaml.safe_dump(card))
    overrides = {**settings(folder, EEDD), **beams(EEDD), "BEAM_ENERGIES": 125}
    overrides |= {"SELECTORS": [*JETS, *LEPTONS], "PSI": {"ITMIN": 500}}
    return generate_from_sherpa(
        card_path("partonic"),
        40_000,
        folder / "recorded.h5",
        process=folder / "process.yaml",
        settings=overrides,
    )


def observables(momenta: np.ndarray) -> dict[str, np.ndarray]:
    """Of momenta (n, 6, 4), each (n,)."""

    def mass(*legs: int) -> np.ndarray:
        total = momenta[:, legs].sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(total**2 @ [1, -1, -1, -1], 0)))

    pt = np.hypot(momenta[..., 1], momenta[..., 2])
    eta = np.arcsinh(momenta[:, 2:, 3] / pt[:, 2:])
    return {
        "mass of the leptons": mass(2, 3),
        "mass of the quarks": mass(4, 5),
        "mass of e- d": mass(2, 4),
        "pT of e-": pt[:, 2],
        "pT of d": pt[:, 4],
        "pT of dbar": pt[:, 5],
        "eta of e+": eta[:, 1],
        "eta of d": eta[:, 2],
        "rapidity of the pair": np.arctanh(momenta[:, 2:4, 3].sum(axis=1) / momenta[:, 2:4, 0].sum(axis=1)),
    }


def test_spectra_are_those_of_flat_points(recorded: Dataset, truth: Truth) -> None:
    flat = PhaseSpace(recorded.info.process).trials(1_200_000, seed=7)
    flat_weights = flat.weights * truth.stripped(flat.momenta)
    weights = recorded.amplitude * recorded.measure
    np.testing.assert_allclose(recorded.amplitude[:200], truth.stripped(recorded.momenta[:200]), rtol=1e-9)
    found, expected = observables(recorded.momenta), observables(flat.momenta)
    for name, values in found.items():
        order = np.argsort(values)
        share = np.cumsum(weights[order]) / weights.sum()
        edges = values[order][np.searchsorted(share, np.linspace(0, 1, 11)[1:-1])]
        edges = np.concatenate([[-np.inf], edges, [np.inf]])
        counts, variances = [], []
        for sample, w, n in (
            (values, weights, recorded.info.n_trials),
            (expected[name], flat_weights, flat.n_trials),
        ):
            content = np.histogram(sample, edges, weights=w)[0] / n
            squares = np.histogram(sample, edges, weights=w**2)[0] / n
            counts.append(content)
            variances.append((squares - content**2) / n)
        assert np.sqrt(np.max(variances)) < 0.03 * counts[0].sum()  # or the comparison means nothing
        statistic = ((counts[0] - counts[1]) ** 2 / (variances[0] + variances[1])).sum()
        assert chi2.sf(statistic, 10) > 1e-4, name


def test_ready_cards_and_process_cards_fit(folder: Path) -> None:
    """Points of the ready cards are points of the process cards, of which the larger differ by a gluon only."""
    comix = {
        "process": "21 21 -> 11 -11 21 1 -1",
        "generator": "Comix",
    }  # slower than AMEGIC, but starts at once
    overrides = {
        "PYAMP": {"TRUTH": pyamp.provider_card("sherpa:", folder / "gg_to_eegdd.json", sherpa=comix)},
        "PSI": {"ITMIN": 3},
    }
    dataset = generate_from_sherpa(
        [card_path("truth"), card_path("gg_to_eegdd")],
        50,
        folder / "gg_to_eegdd.h5",
        process="gg_to_eegdd_lhc13",
        settings=overrides,
    )
    assert dataset.info.process == load_process("gg_to_eegdd_lhc13")

    small, large = (yaml.safe_load(card_path(name).read_text()) for name in ("gg_to_eegdd", "gg_to_eeggdd"))
    ((process, block),) = large.pop("PROCESSES")[0].items()
    assert process == "21 21 -> 11 -11 21 21 1 -1"
    assert block.pop("Order") == {"QCD": 4, "EW": 2}
    ((_, small_block),) = small.pop("PROCESSES")[0].items()
    del small_block["Order"], block["Max_Epsilon"]
    assert block == small_block
    assert large.pop("PYAMP") == {"TRUTH": f"tree:{process}"}
    assert small.pop("PYAMP") == {"TRUTH": "tree:21 21 -> 11 -11 21 1 -1"}
    assert {key: large[key] for key in small if key != "PSI"} == {
        key: value for key, value in small.items() if key != "PSI"
    }
    gluons = load_process("gg_to_eeggdd_lhc13")
    assert "sherpa:" + process == gluons.amplitude
    cuts = gluons.cuts.as_dict()
    assert cuts["delta_r_min"].pop("21,21") == 0.4
    assert cuts == dataset.info.process.cuts.as_dict()
