"""Does Sherpa get the normalisation that it expects, and does the plugin's phase-space channel integrate correctly?

Cross sections from the plugin against pyamp's own phase space, flat RAMBO with its own flux, identical-photon factor
and cuts. A factor forgotten or applied twice would be 2 or 256. Agreement is asked for within 4 standard errors
(false-positive rate 6e-5 per comparison, were the seeds not fixed).
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import yaml

from pyamp.phase_space import PhaseSpace
from pyamp.sherpa import find_sherpa, run_card
from pyamp.truth import truth
from tests.sherpa.conftest import process, selectors
from tests.sherpa.pdf_grid import gluon_density

ALPHA = 1 / 137.036  # Sherpa's alpha(0)
PDF_SET = "PDF4LHC21_40_pdfas"
SCALE, ALPHA_S = 104.717, 0.115585  # a knot of that set in Q, and its alpha_s there


def phase_space(tmp_path: Path, name: str, pt_min: dict[int, object]) -> PhaseSpace:
    """pyamp's phase space of a process card with other minimal p_T."""
    card = yaml.safe_load((resources.files("pyamp") / "cards" / f"{name}.yaml").read_text())
    card["cuts"]["pt_min"] = pt_min
    path = tmp_path / "process.yaml"
    path.write_text(yaml.safe_dump(card))
    return PhaseSpace(path)


def agree(a: tuple[float, float], b: tuple[float, float], precision: float) -> None:
    error = np.hypot(a[1], b[1])
    assert error < precision * b[0]  # or the comparison means nothing
    assert abs(a[0] - b[0]) < 4 * error


@pytest.mark.parametrize("integrator", ["PyAmp", "Rambo"])
def test_partonic_cross_section(tmp_path: Path, run_directory: Path, integrator: str) -> None:
    sample = phase_space(tmp_path, "gg_to_aag_1tev", {22: [100, 80], 21: 100}).trials(500_000, seed=5)
    expected = sample.integrate(truth("gg_to_aag", alpha_s=0.118, alpha=ALPHA).me2(sample.momenta))
    settings = {
        "SELECTORS": selectors(100, 80, 100),
        "PROCESSES": process(Integrator=integrator),
        "EVENT_GENERATION_MODE": "Weighted",
    }
    result = run_card("partonic", None, run_directory, settings, n_events=50_000)
    agree((result.cross_section_pb, result.error_pb), expected, 0.03)


def test_hadronic_cross_section(tmp_path: Path, run_directory: Path) -> None:
    sample = phase_space(tmp_path, "gg_to_aag_lhc13", {22: [60, 50], 21: 50}).trials(2_000_000, seed=11)
    gluon = gluon_density(find_sherpa() / "share" / "SHERPA-MC" / "LHAPDF" / PDF_SET, SCALE)
    x = sample.momenta[:, :2, 0] / 6500
    me2 = truth("gg_to_aag", alpha_s=ALPHA_S, alpha=ALPHA).me2(sample.momenta)
    expected = sample.integrate(gluon(x[:, 0]) * gluon(x[:, 1]) * me2)
    settings = {
        "SELECTORS": selectors(60, 50, 50),
        "SCALES": f"VAR{{sqr({SCALE})}}",
        "EVENT_GENERATION_MODE": "Weighted",
    }
    result = run_card("truth", None, run_directory, settings, n_events=100_000)
    agree((result.cross_section_pb, result.error_pb), expected, 0.01)
