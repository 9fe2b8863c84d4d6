"""The C++ evaluator against the Python network, and what it does with bad points."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

import pyamp
from pyamp.model_file import load_surrogate, write_model
from pyamp.networks import ACTIVATIONS
from tests.support import model_info, random_surrogate, write_random_model

GOLDEN = Path(__file__).parents[1] / "reference" / "models" / "v1" / "gg_to_aag_float64.safetensors"
COUPLINGS = 0.118**3 / 137.035999084**2


def python_prediction(path: Path, momenta: np.ndarray, dtype: torch.dtype | None = None) -> list[np.ndarray]:
    with torch.inference_mode():
        p = load_surrogate(path, dtype)(torch.from_numpy(momenta))
    return [COUPLINGS * x.numpy() for x in (p.amplitude, p.sigma_syst, p.sigma_stat)]


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_agrees_with_python(
    tmp_path: Path, momenta: np.ndarray, activation: str, dtype: str, tolerance: float
) -> None:
    path = tmp_path / "model.safetensors"
    write_random_model(path, momenta, activation=activation, dtype=getattr(torch, dtype))
    prediction = pyamp.Evaluator(path)(momenta)
    amplitude, sigma_syst, sigma_stat = python_prediction(path, momenta)
    np.testing.assert_allclose(prediction.amplitude, amplitude, rtol=tolerance)
    np.testing.assert_allclose(prediction.sigma_syst, sigma_syst, rtol=10 * tolerance)
    np.testing.assert_array_equal(prediction.sigma_stat, sigma_stat)
    assert not prediction.flags.any()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-6)])
def test_ensemble_agrees_with_python(
    tmp_path: Path, momenta: np.ndarray, dtype: str, tolerance: float
) -> None:
    path = tmp_path / "ensemble.safetensors"
    write_random_model(path, momenta, members=5, dtype=getattr(torch, dtype))
    prediction = pyamp.Evaluator(path)(momenta)
    amplitude, sigma_syst, sigma_stat = python_prediction(path, momenta)
    np.testing.assert_allclose(prediction.amplitude, amplitude, rtol=tolerance)
    np.testing.assert_allclose(prediction.sigma_syst, sigma_syst, rtol=10 * tolerance)
    # The spread is a difference of amplitudes, and as accurate as they are.
    np.testing.assert_allclose(
        prediction.sigma_stat, sigma_stat, rtol=0, atol=10 * tolerance * amplitude.max()
    )
    assert (prediction.sigma_stat > 0).all()


def test_ensemble_combines_its_members(tmp_path: Path, momenta: np.ndarray) -> None:
    """Each member alone as a deterministic model, combined by hand (arXiv:2412.12069)."""
    surrogate = write_random_model(tmp_path / "ensemble.safetensors", momenta, members=4)
    means, variances = [], []
    for member in range(4):
        alone = random_surrogate(momenta)
        alone.posterior.load_tensors({n: t[member] for n, t in surrogate.posterior.tensors().items()})
        path = tmp_path / f"{member}.safetensors"
        write_model(path, alone, model_info(), torch.from_numpy(momenta[:16]))
        prediction = pyamp.Evaluator(path)(momenta)
        means.append(prediction.amplitude)
        variances.append(prediction.sigma_syst**2)
    combined = pyamp.Evaluator(tmp_path / "ensemble.safetensors")(momenta)
    np.testing.assert_allclose(combined.amplitude, np.mean(means, axis=0), rtol=1e-12)
    np.testing.assert_allclose(combined.sigma_syst, np.sqrt(np.mean(variances, axis=0)), rtol=1e-11)
    np.testing.assert_allclose(combined.sigma_stat, np.std(means, axis=0), rtol=1e-9)


def test_float64_arithmetic_on_request(tmp_path: Path, momenta: np.ndarray) -> None:
    path = tmp_path / "model.safetensors"
    write_random_model(path, momenta, dtype=torch.float32)
    evaluator = pyamp.Evaluator(path, dtype="float64")
    assert "float64" in evaluator.backend
    expected = python_prediction(path, momenta, torch.float64)[0]
    np.testing.assert_allclose(evaluator(momenta).amplitude, expected, rtol=1e-12)


def test_features_equal_those_of_python(model_path: Path, momenta: np.ndarray) -> None:
    features, log_factor = pyamp.Evaluator(model_path)._core.features(momenta)
    representation = load_surrogate(model_path).representation
    tensor = torch.from_numpy(momenta)
    np.testing.assert_allclose(features, representation(tensor).numpy(), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(log_factor, representation.log_factor(tensor).numpy(), rtol=1e-14)


def test_symmetric_in_photons_and_beams(model_path: Path, momenta: np.ndarray) -> None:
    evaluator = pyamp.Evaluator(model_path)
    reference = evaluator(momenta).amplitude
    for order in ([1, 0, 2, 3, 4], [0, 1, 3, 2, 4], [1, 0, 3, 2, 4]):
        np.testing.assert_allclose(evaluator(momenta[:, order]).amplitude, reference, rtol=1e-11)


def test_scales_as_energy_to_minus_two(momenta: np.ndarray) -> None:
    """|M|² of five massless legs has dimension GeV⁻² and no other scale; the golden model covers 90 GeV to 13 TeV."""
    evaluator = pyamp.Evaluator(GOLDEN, dtype="float64")
    one, two = evaluator(momenta), evaluator(2 * momenta)
    np.testing.assert_allclose(4 * two.amplitude, one.amplitude, rtol=1e-11)
    np.testing.assert_allclose(4 * two.sigma_syst, one.sigma_syst, rtol=1e-11)


def test_threads_share_an_evaluator(model_path: Path, momenta: np.ndarray) -> None:
    """Four Python threads get the bits that one gets: calls share nothing but the weights."""
    evaluator = pyamp.Evaluator(model_path)
    batches = [momenta[k : k + 50] for k in range(0, 500, 50)] * 8
    expected = [evaluator(batch).amplitude for batch in batches]
    with ThreadPoolExecutor(4) as executor:
        found = list(executor.map(lambda batch: evaluator(batch).amplitude, batches))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_input_kinds_and_strides(model_path: Path, momenta: np.ndarray) -> None:
    evaluator = pyamp.Evaluator(model_path)
    reference = evaluator(momenta).amplitude
    reversed_view = np.ascontiguousarray(momenta[::-1])[::-1]
    component_first = np.ascontiguousarray(momenta.transpose(2, 1, 0)).transpose(2, 1, 0)
    for view in (reversed_view, component_first, momenta.tolist()):
        np.testing.assert_array_equal(evaluator(view).amplitude, reference)
    tensor = evaluator(torch.from_numpy(momenta).requires_grad_())
    assert isinstance(tensor.amplitude, torch.Tensor)
    np.testing.assert_array_equal(tensor.amplitude.numpy(), reference)

    class OnlyDLPack:
        def __dlpack__(self, **options: object) -> object:
            return torch.from_numpy(momenta).__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return torch.from_numpy(momenta).__dlpack_device__()

    np.testing.assert_array_equal(evaluator(OnlyDLPack()).amplitude, reference)
    assert evaluator(momenta[0]).amplitude.shape == (1,)
    assert evaluator(momenta[:0]).amplitude.shape == (0,)


def test_sigma_tot_is_the_quadratic_sum(model_path: Path, momenta: np.ndarray) -> None:
    prediction = pyamp.Evaluator(model_path)(momenta)
    np.testing.assert_allclose(prediction.sigma_tot, np.hypot(prediction.sigma_syst, prediction.sigma_stat))


def test_couplings(model_path: Path, momenta: np.ndarray) -> None:
    reference = pyamp.Evaluator(model_path)(momenta).amplitude
    strong = pyamp.Evaluator(model_path, alpha_s=0.236)(momenta)
    np.testing.assert_allclose(strong.amplitude, 8 * reference, rtol=1e-14)
    weak = pyamp.Evaluator(model_path, alpha=2 / 137.035999084)(momenta)
    np.testing.assert_allclose(weak.amplitude, 4 * reference, rtol=1e-14)
    running = np.linspace(0.1, 0.13, len(momenta))
    per_point = pyamp.Evaluator(model_path)(momenta, alpha_s=running).amplitude
    np.testing.assert_allclose(per_point, reference * (running / 0.118) ** 3, rtol=1e-14)
    assert pyamp.Evaluator(model_path, alpha_s=0.236).couplings["alpha_s"] == 0.236


def test_couplings_that_are_none_give_no_amplitude(model_path: Path, momenta: np.ndarray) -> None:
    with pytest.raises(pyamp.PyampError, match=r"alpha_s is -1.* a positive number expected"):
        pyamp.Evaluator(model_path, alpha_s=-1.0)
    with pytest.raises(pyamp.PyampError, match="alpha is nan, a positive number expected"):
        pyamp.Evaluator(model_path, alpha=np.nan)
    with pytest.raises(
        pyamp.PyampError, match=r"alpha_s: shape \(2,\) found, one value or \(500,\) expected"
    ):
        pyamp.Evaluator(model_path)(momenta, alpha_s=[0.1, 0.1])
    evaluator = pyamp.Evaluator(model_path, policy="nan")
    prediction = evaluator(momenta[:4], alpha_s=[0.118, np.nan, -0.118, 0.118])
    np.testing.assert_array_equal(prediction.flags, [0, 32, 32, 0])
    np.testing.assert_array_equal(np.isnan(prediction.amplitude), [False, True, True, False])


@pytest.mark.parametrize("points", ["x", [[1.0, 2.0], [3.0]], np.ones((1, 5, 4), complex)])
def test_what_is_no_array_of_numbers_is_refused(model_path: Path, points: object) -> None:
    with pytest.raises(pyamp.PyampError, match=r"momenta: .* real numbers expected"):
        pyamp.Evaluator(model_path)(points)


def spoiled(momenta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A batch with one bad point of each kind, and the flags expected."""
    bad = momenta[:20].copy()
    bad[1, 2, 1] = np.nan
    bad[3, 4, 0] = np.inf
    bad[5, 2, 0] *= 1.001
    bad[7, 3] *= 1.1
    bad[9] *= 1.5  # another energy
    photon_along_beam = PHOTON_OUTSIDE_CUTS
    bad[11] = photon_along_beam
    bad[13, 0] = 0.0
    expected = np.zeros(20, np.int32)
    expected[[1, 3]] = 1
    expected[5] = 2 | 4
    expected[7] = 4
    expected[[9, 11]] = 8
    expected[13] = 2 | 4
    return bad, expected


# Mercedes star in the transverse plane, turned so that a photon has pT = 14 GeV only.
_ANGLE = 0.0419
PHOTON_OUTSIDE_CUTS = np.array(
    [
        [500.0, 0, 0, 500.0],
        [500.0, 0, 0, -500.0],
        *(
            [1000 / 3, 1000 / 3 * np.sin(_ANGLE + turn), 0, 1000 / 3 * np.cos(_ANGLE + turn)]
            for turn in (0, 2 * np.pi / 3, 4 * np.pi / 3)
        ),
    ]
)


def test_bad_points_are_flagged_and_good_rows_keep_their_bits(model_path: Path, momenta: np.ndarray) -> None:
    bad, expected = spoiled(momenta)
    evaluator = pyamp.Evaluator(model_path, policy="nan")
    prediction = evaluator(bad)
    np.testing.assert_array_equal(prediction.flags, expected)
    good = expected == 0
    clean = evaluator(momenta[:20])
    for name in ("amplitude", "sigma_syst", "sigma_stat"):
        np.testing.assert_array_equal(getattr(prediction, name)[good], getattr(clean, name)[good])
        assert np.isnan(getattr(prediction, name)[~good]).all()


def test_policy_error_says_how_many_and_why(model_path: Path, momenta: np.ndarray) -> None:
    bad, expected = spoiled(momenta)
    with pytest.raises(
        pyamp.PyampError, match=r"7 of 20 points flagged, the first is 1 \(NaN or infinity"
    ) as error:
        pyamp.Evaluator(model_path)(bad)
    assert "\n" not in str(error.value)
    assert np.count_nonzero(expected) == 7


def test_policy_truth_replaces_sound_points_outside_the_domain(model_path: Path, momenta: np.ndarray) -> None:
    bad, expected = spoiled(momenta)
    prediction = pyamp.Evaluator(model_path, policy="truth")(bad)
    outside = expected == 8
    np.testing.assert_array_equal(prediction.flags[outside], 8 | 16)
    exact = pyamp.truth("gg_to_aag").me2(bad[outside])
    np.testing.assert_allclose(prediction.amplitude[outside], exact, rtol=1e-14)
    assert (prediction.sigma_syst[outside] == 0).all()
    assert np.isnan(prediction.amplitude[(expected != 0) & ~outside]).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"device": "tpu"}, 'device \'tpu\', "cpu", "cuda" or "cuda:N" expected'),
        ({"dtype": "float16"}, "dtype 'float16', float32 or float64 expected"),
        ({"policy": "ignore"}, "policy 'ignore', error, nan or truth expected"),
        ({"policy": "truth", "truth": "gg_to_h"}, "gg_to_h"),
    ],
)
def test_bad_options_are_refused(model_path: Path, options: dict[str, str], text: str) -> None:
    with pytest.raises(pyamp.PyampError, match=text):
        pyamp.Evaluator(model_path, **options)


@pytest.mark.parametrize("shape", [(3, 4, 4), (3, 5, 3), (4,), (2, 3, 5, 4)])
def test_wrong_shapes_are_refused(model_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(pyamp.PyampError) as error:
        pyamp.Evaluator(model_path)(np.zeros(shape))
    found = (1, *shape) if len(shape) == 2 else shape
    assert str(error.value) == f"momenta: shape {found} found, (n, 5, 4) expected"


def test_large_batch_equals_its_parts(model_path: Path, momenta: np.ndarray) -> None:
    """More points than pass through the network at once."""
    many = np.tile(momenta, (20, 1, 1))
    amplitude = pyamp.Evaluator(model_path)(many).amplitude.reshape(20, -1)
    np.testing.assert_allclose(amplitude, np.broadcast_to(amplitude[0], amplitude.shape), rtol=1e-13)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_equals_cpu(model_path: Path, momenta: np.ndarray) -> None:
    on_gpu = pyamp.Evaluator(model_path, device="cuda")
    assert "cuda" in on_gpu.backend
    np.testing.assert_allclose(
        on_gpu(momenta).amplitude, pyamp.Evaluator(model_path)(momenta).amplitude, rtol=1e-12
    )
    tensor = on_gpu(torch.from_numpy(momenta).cuda())
    assert tensor.amplitude.is_cuda


def test_threads_of_the_host_are_left_alone(model_path: Path, momenta: np.ndarray) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        evaluator = pyamp.Evaluator(model_path)
        for batch in (momenta[0], momenta):
            evaluator(batch)
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
