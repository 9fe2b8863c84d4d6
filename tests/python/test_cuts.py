"""Do the cuts do what the card says, and does a wrong card say what is wrong?"""

import numpy as np
import pytest

from pyamp.cuts import Cuts
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Process, load_process

PDG_IDS = (21, 21, 22, 22, 21)


def uncut(process: Process) -> Process:
    return process.model_copy(update={"cuts": Cuts(), "energy": process.energy})


def delta_r(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    def eta(p):
        theta = np.arctan2(np.hypot(p[:, 1], p[:, 2]), p[:, 3])
        return -np.log(np.tan(theta / 2))

    phi = np.abs(np.arctan2(a[:, 2], a[:, 1]) - np.arctan2(b[:, 2], b[:, 1]))
    return np.hypot(eta(a) - eta(b), np.minimum(phi, 2 * np.pi - phi))


def test_agrees_with_the_textbook_formulae():
    process = load_process("gg_to_aag_1tev")
    p = PhaseSpace(uncut(process)).sample(20000, seed=3).momenta
    a1, a2, g = p[:, 2], p[:, 3], p[:, 4]
    pt = np.hypot(p[..., 1], p[..., 2])
    photons = np.sort(pt[:, 2:4], axis=1)
    eta = np.arctanh(p[..., 3] / np.linalg.norm(p[..., 1:], axis=-1).clip(min=1e-300) * (1 - 1e-16))
    expected = (
        (photons[:, 1] > 40)
        & (photons[:, 0] > 30)
        & (pt[:, 4] > 20)
        & (np.abs(eta[:, 2:4]) < 2.37).all(axis=1)
        & (np.abs(eta[:, 4]) < 5)
        & (delta_r(a1, a2) > 0.4)
        & (delta_r(a1, g) > 0.4)
        & (delta_r(a2, g) > 0.4)
    )
    found = process.passes_cuts(p)
    assert 0.5 < found.mean() < 0.99
    np.testing.assert_array_equal(found, expected)


def test_last_pt_threshold_repeats_and_covers_antiparticles():
    cuts = Cuts(pt_min={"11": [50]})
    p = np.zeros((2, 4, 4))
    p[:, 2] = [60, 60, 0, 0]
    p[0, 3] = [60, -60, 0, 0]
    p[1, 3] = [40, -40, 0, 0]
    np.testing.assert_array_equal(cuts.passes(p, [1, -1, 11, -11]), [True, False])


def test_nan_and_legs_along_the_beam_do_not_pass():
    p = PhaseSpace("gg_to_aag_1tev").sample(4, seed=1).momenta
    p[1, 3, 1] = np.nan
    p[2, 2] = [500, 0, 0, 500]
    process = load_process("gg_to_aag_1tev")
    np.testing.assert_array_equal(process.passes_cuts(p), [True, False, False, True])
    eta_only = Cuts(abs_eta_max={"22": 2.37})
    np.testing.assert_array_equal(eta_only.passes(p, PDG_IDS), [True, False, False, True])


def test_any_strides_and_no_points():
    process = load_process("gg_to_aag_1tev")
    p = PhaseSpace(uncut(process)).sample(100, seed=5).momenta
    strided = np.asfortranarray(p)[::2]
    np.testing.assert_array_equal(process.passes_cuts(strided), process.passes_cuts(p)[::2])
    assert process.passes_cuts(p[:0]).shape == (0,)


def test_minimum_energy_is_the_infimum_of_what_passes():
    cuts = load_process("gg_to_aag_lhc13").cuts
    assert cuts.minimum_sqrt_s_hat(PDG_IDS) == 90.0
    # One threshold beyond the others together: the others have to balance it.
    assert Cuts(pt_min={"22": [100, 10], "21": 20}).minimum_sqrt_s_hat(PDG_IDS) == 200.0
    for sqrt_s_hat, possible in ((89.999, False), (90.01, True)):
        # Transverse momenta of 40, 30 and 20 (slightly more) at rapidity 0 make a triangle.
        scale = sqrt_s_hat / 90
        cosine = (40**2 + 30**2 - 20**2) / (2 * 40 * 30)
        first = 40 * scale * np.array([1, 1, 0, 0])
        second = 30 * scale * np.array([1, -cosine, np.sqrt(1 - cosine**2), 0])
        third = np.array([20 * scale, *-(first + second)[1:]])
        beam = sqrt_s_hat / 2
        p = np.array([[[beam, 0, 0, beam], [beam, 0, 0, -beam], first, second, third]])
        assert cuts.passes(p, PDG_IDS)[0] == possible


@pytest.mark.parametrize(
    ("cuts", "text"),
    [
        ({"pt_min": {"11": 20}}, "species 11, which is no outgoing leg; the outgoing legs are 22, 22, 21"),
        ({"pt_min": {"gamma": 20}}, "species 'gamma'; expected a positive PDG id"),
        ({"pt_min": {"22": -3}}, 'pt_min["22"] is -3.0; expected a number >= 0'),
        ({"pt_min": {"22": [30, 40]}}, "expected values that do not rise"),
        ({"pt_min": {"22": [40, 30, 20]}}, "has 3 values; expected 1 to 2, hardest leg first"),
        ({"delta_r_min": {"22": 0.4}}, "expected two species such as"),
    ],
)
def test_wrong_cuts_say_what_is_wrong(cuts, text):
    with pytest.raises(PyampError) as error:
        Cuts(**cuts).bound(PDG_IDS)
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_core_refuses_unknown_keys_with_the_nearest():
    from pyamp import _core

    with pytest.raises(PyampError, match="unknown key 'ptmin'; did you mean 'pt_min'"):
        _core.Cuts('{"ptmin": {"22": 20}}', PDG_IDS, 2)
