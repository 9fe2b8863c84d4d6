"""Does pyamp.truth take what people have, and refuse in one clear line what it cannot use?"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import pyamp

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def momenta():
    with np.load(REFERENCE / "gg_to_aag_openloops.npz") as file:
        return file["momenta"]


@pytest.fixture(scope="module")
def truth():
    return pyamp.truth("gg_to_aag")


def test_describes_itself(truth):
    assert truth.process == "gg_to_aag"
    assert truth.pdg_ids == (21, 21, 22, 22, 21)
    assert (truth.n_incoming, truth.n_legs) == (2, 5)
    assert truth.coupling_orders._asdict() == {"alpha_s_power": 3, "alpha_power": 2}
    assert truth.spin_colour_average == 256
    assert "gg_to_aag" in truth.version
    assert "0.118" in repr(truth)


def test_single_point_gives_floats(truth, momenta):
    assert type(truth.me2(momenta[0])) is float
    assert type(truth.stripped(momenta[0])) is float
    value, accuracy = truth.me2(momenta[0], return_accuracy=True)
    assert type(value) is type(accuracy) is float


def test_batch_gives_arrays(truth, momenta):
    value, accuracy = truth.me2(momenta, return_accuracy=True)
    assert value.shape == accuracy.shape == (len(momenta),)
    assert value.dtype == accuracy.dtype == np.float64
    assert truth.me2(momenta[:0]).shape == (0,)
    assert truth.helicity_amplitudes_squared(momenta)["+-+-+"].shape == (len(momenta),)


def test_any_strides_and_containers(truth, momenta):
    expected = truth.me2(momenta)
    assert truth.me2(np.asfortranarray(momenta)).tolist() == expected.tolist()
    assert truth.me2(momenta[::3]).tolist() == expected[::3].tolist()
    assert truth.me2(momenta.tolist()).tolist() == expected.tolist()
    assert truth.me2(torch.from_numpy(momenta)).tolist() == expected.tolist()
    assert truth.me2(momenta.astype(">f8")).tolist() == expected.tolist()
    np.testing.assert_allclose(truth.me2(momenta.astype(np.float32)), expected, rtol=1e-3)


def test_input_is_left_alone(truth, momenta):
    copy = momenta.copy()
    copy.flags.writeable = False
    truth.me2(copy, return_accuracy=True)
    assert (copy == momenta).all()


def test_threads_agree(truth, momenta):
    expected = truth.me2(momenta).tolist()
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: truth.me2(momenta).tolist(), range(20)):
            assert result == expected


def test_accuracy_is_near_rounding_for_good_points(truth, momenta):
    _, accuracy = truth.me2(momenta, return_accuracy=True)
    assert (accuracy >= np.finfo(np.float64).eps).all()
    assert np.median(accuracy) < 1e-14
    assert accuracy.max() < 1e-12


@pytest.mark.parametrize("leg", [2, 3, 4])
@pytest.mark.parametrize("relative", [1e-10, 1e-8])
def test_accuracy_flags_points_that_do_not_conserve_momentum(truth, momenta, leg, relative):
    spoiled = momenta.copy()
    spoiled[:, leg, 1] *= 1 + relative
    value, accuracy = truth.me2(spoiled, return_accuracy=True)
    true_error = np.abs(value / truth.me2(momenta) - 1)
    assert (accuracy > 0.01 * relative).mean() > 0.97
    # The estimate has the size of the error it stands for.
    assert 0.1 < np.median(accuracy) / np.median(true_error) < 10


def test_accuracy_degrades_for_single_precision_momenta(truth, momenta):
    _, accuracy = truth.me2(momenta.astype(np.float32), return_accuracy=True)
    assert np.median(accuracy) > 1e-9


def spoil_nan(points):
    points[3, 2, 1] = np.nan


def spoil_infinite(points):
    points[3, 0, 0] = np.inf


def spoil_negative_energy(points):
    points[3, 0] *= -1


def spoil_off_shell(points):
    points[3, 4, 0] *= 1.01


def spoil_conservation(points):
    points[3, 4] *= 1.01


def spoil_collinear(points):
    points[3, :2] = [[100, 0, 0, 100], [100, 0, 0, -100]]
    points[3, 2:] = [[50, 50, 0, 0], [50, 50, 0, 0], [100, -100, 0, 0]]


def spoil_zero(points):
    points[3] = 0


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (spoil_nan, "not finite"),
        (spoil_infinite, "not finite"),
        (spoil_negative_energy, "must be positive"),
        (spoil_off_shell, "mass shell"),
        (spoil_conservation, "conserved only to"),
        (spoil_collinear, "collinear"),
        (spoil_zero, "must be positive"),
    ],
)
def test_failed_points_are_reported(truth, momenta, spoil, reason):
    points = momenta[:10].copy()
    spoil(points)
    with pytest.raises(pyamp.PyampError, match=rf"1 of 10 points failed, index 3: .*{reason}") as error:
        truth.me2(points)
    assert "\n" not in str(error.value)
    value, accuracy = truth.me2(points, return_accuracy=True, on_failure="nan")
    clean = truth.me2(momenta[:10])
    assert np.isnan(value[3])
    assert np.isnan(accuracy[3])
    others = np.arange(10) != 3
    assert value[others].tolist() == clean[others].tolist()
    assert np.isnan(truth.stripped(points, on_failure="nan")[3])
    assert np.isnan(truth.me2(points[3], on_failure="nan"))
    assert np.isnan(truth.helicity_amplitudes_squared(points)["+++++"][3])


def test_many_failed_points_are_counted(truth, momenta):
    points = np.full_like(momenta, np.nan)
    with pytest.raises(pyamp.PyampError, match=r"200 of 200 points failed, index 0, 1, 2, 3, 4, …:"):
        truth.me2(points)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((7, 4, 4)), "4 legs found"),
        (np.zeros((7, 6, 4)), "6 legs found"),
        (np.zeros((7, 5, 3)), r"shape \(7, 5, 3\) found"),
        (np.zeros((1, 7, 5, 4)), r"shape \(1, 7, 5, 4\) found"),
        (np.zeros(20), r"shape \(20,\) found"),
        (3.0, r"shape \(\) found"),
        (np.zeros((5, 4), complex), "dtype complex128 found"),
        ("momenta", "dtype <U7 found"),
        ([[1, 2], [3]], "not an array"),
        (torch.zeros(5, 4, requires_grad=True), "not an array"),
    ],
    ids=[
        "four legs",
        "six legs",
        "no energy",
        "4-d",
        "flat",
        "number",
        "complex",
        "text",
        "ragged",
        "gradient",
    ],
)
def test_wrong_input_is_refused(truth, bad, message):
    with pytest.raises(pyamp.PyampError, match=message) as error:
        truth.me2(bad)
    assert "(5, 4) or (n, 5, 4) expected" in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(pyamp.PyampError, match=r"'gg_to_aa'.*gg_to_aag"):
        pyamp.truth("gg_to_aa")


@pytest.mark.parametrize("value", [0.0, -0.1, np.nan, np.inf])
def test_couplings_must_be_positive(value):
    with pytest.raises(pyamp.PyampError, match=r"alpha_s = .* a positive number expected"):
        pyamp.truth(alpha_s=value)
    with pytest.raises(pyamp.PyampError, match=r"alpha = .* a positive number expected"):
        pyamp.truth(alpha=value)


def test_unknown_policy_is_refused(truth, momenta):
    with pytest.raises(pyamp.PyampError, match="'raise' or 'nan' expected"):
        truth.me2(momenta, on_failure="ignore")
