"""The operator pyamp::invariants: precision, symmetries, autograd, shapes without data, strides, empty input."""

import itertools

import mpmath
import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from pyamp.kinematics import invariants, pair_index


def random_momenta(n: int, legs: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    p = torch.randn((n, legs, 3), generator=generator, dtype=torch.float64) * 100
    return torch.cat([p.norm(dim=-1, keepdim=True), p], dim=-1)


def exact_invariant(p: np.ndarray, q: np.ndarray) -> mpmath.mpf:
    """2 (|p||q| − p·q) of the stored three-momenta with 60 digits."""
    with mpmath.workdps(60):
        a = [mpmath.mpf(float(x)) for x in p[1:]]
        b = [mpmath.mpf(float(x)) for x in q[1:]]
        norms = mpmath.sqrt(sum(x * x for x in a)) * mpmath.sqrt(sum(x * x for x in b))
        return 2 * (norms - sum(x * y for x, y in zip(a, b, strict=True)))


@pytest.mark.parametrize("log10_ratio", [0, -2, -4, -6, -8, -10, -12])
@pytest.mark.parametrize("kind", ["collinear", "soft"])
def test_small_invariants_keep_relative_precision(kind: str, log10_ratio: int) -> None:
    rng = np.random.default_rng(100 - log10_ratio)
    for _ in range(50):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        side = np.cross(direction, rng.normal(size=3))
        side /= np.linalg.norm(side)
        ratio = 10.0**log10_ratio
        if kind == "collinear":
            p, q = 300 * direction, 200 * (direction + np.sqrt(ratio) * side)
        else:
            p, q = 300 * direction, 200 * ratio * (0.3 * direction + side)
        momenta = np.zeros((1, 2, 4))
        momenta[0, :, 1:] = p, q
        momenta[0, :, 0] = np.linalg.norm(momenta[0, :, 1:], axis=1)
        value = float(invariants(torch.from_numpy(momenta), n_incoming=0)[0, 0])
        exact = exact_invariant(momenta[0, 0], momenta[0, 1])
        assert abs(value / exact - 1) < 4e-15


def test_known_values_and_order_of_pairs() -> None:
    p = torch.tensor([[[5.0, 0, 0, 5], [5, 0, 0, -5], [5, 3, 0, 4], [5, -3, 0, -4]]], dtype=torch.float64)
    s = invariants(p)[0]
    assert s.tolist() == pytest.approx([100.0, -10.0, -90.0, -90.0, -10.0, 100.0], rel=1e-15)
    for position, (i, j) in enumerate(itertools.combinations(range(4), 2)):
        assert pair_index(i, j, 4) == pair_index(j, i, 4) == position


def test_energy_conservation_sums_to_zero() -> None:
    """For conserved momenta Σ_j s_ij = 0 in the all-outgoing convention, from the symmetric decay of s_01."""
    p = torch.tensor(
        [[[3.0, 0, 0, 3], [3, 0, 0, -3], [2, 2, 0, 0], [2, -1, 3**0.5, 0], [2, -1, -(3**0.5), 0]]],
        dtype=torch.float64,
    )
    s = invariants(p)[0]
    for i in range(5):
        assert abs(sum(float(s[pair_index(i, j, 5)]) for j in range(5) if j != i)) < 1e-13


@pytest.mark.parametrize("rapidity", [0.5, 3.0])
def test_boost_invariance(rapidity: float) -> None:
    momenta = random_momenta(200, 5, seed=1)
    boosted = momenta.clone()
    cosh, sinh = np.cosh(rapidity), np.sinh(rapidity)
    boosted[..., 0] = cosh * momenta[..., 0] + sinh * momenta[..., 1]
    boosted[..., 1] = sinh * momenta[..., 0] + cosh * momenta[..., 1]
    # A boost rounds momenta at 1e-16 of the largest component, invariants at that over 1 − cos θ.
    torch.testing.assert_close(invariants(boosted), invariants(momenta), rtol=1e-9, atol=1e-9)


def test_rotation_invariance() -> None:
    momenta = random_momenta(200, 5, seed=2)
    rotation = torch.linalg.qr(
        torch.randn((3, 3), generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    )[0]
    rotated = momenta.clone()
    rotated[..., 1:] = momenta[..., 1:] @ rotation.T
    torch.testing.assert_close(invariants(rotated), invariants(momenta), rtol=1e-11, atol=1e-9)


def test_permutation_permutes_the_pairs() -> None:
    momenta = random_momenta(50, 5, seed=4)
    order = [0, 1, 4, 2, 3]
    s, permuted = invariants(momenta), invariants(momenta[:, order])
    for i, j in itertools.combinations(range(5), 2):
        expected = s[:, pair_index(order[i], order[j], 5)]
        torch.testing.assert_close(permuted[:, pair_index(i, j, 5)], expected, rtol=1e-14, atol=0)


def test_gradcheck() -> None:
    momenta = random_momenta(6, 5, seed=5).requires_grad_()
    assert torch.autograd.gradcheck(invariants, (momenta,))


def test_second_derivatives_are_refused() -> None:
    momenta = random_momenta(3, 5, seed=15).requires_grad_()
    (gradient,) = torch.autograd.grad(invariants(momenta).square().sum(), momenta, create_graph=True)
    with pytest.raises(NotImplementedError, match="differentiable once"):
        gradient.square().sum().backward()


def test_gradient_of_strided_input_and_strided_gradient() -> None:
    momenta = random_momenta(6, 5, seed=6)
    reference = momenta.clone().requires_grad_()
    strided = momenta.permute(2, 1, 0).contiguous().permute(2, 1, 0).requires_grad_()
    weights = torch.randn((10, 6), generator=torch.Generator().manual_seed(7), dtype=torch.float64).T
    invariants(reference).backward(weights.contiguous())
    invariants(strided).backward(weights)
    assert torch.equal(reference.grad, strided.grad)


@pytest.mark.parametrize(
    "view",
    [
        lambda p: p[::2],
        lambda p: p.flip(0),
        lambda p: p.permute(2, 1, 0).contiguous().permute(2, 1, 0),
        lambda p: p[:1].expand(7, -1, -1),
    ],
)
def test_strides(view) -> None:
    momenta = view(random_momenta(10, 5, seed=8))
    assert torch.equal(invariants(momenta), invariants(momenta.contiguous()))


def test_empty_batch() -> None:
    momenta = torch.empty((0, 5, 4), dtype=torch.float64, requires_grad=True)
    s = invariants(momenta)
    assert s.shape == (0, 10)
    s.sum().backward()
    assert momenta.grad is not None
    assert momenta.grad.shape == (0, 5, 4)


def test_shapes_without_data() -> None:
    assert invariants(torch.empty((7, 6, 4), dtype=torch.float64, device="meta")).shape == (7, 15)
    with FakeTensorMode():
        assert invariants(torch.empty((3, 5, 4), dtype=torch.float64)).shape == (3, 10)


def test_operator_registration_is_sound() -> None:
    torch.library.opcheck(
        torch.ops.pyamp.invariants.default, (random_momenta(4, 5, seed=9).requires_grad_(), 2)
    )


@pytest.mark.parametrize(
    ("momenta", "error", "text"),
    [
        (torch.zeros((3, 5, 3), dtype=torch.float64), ValueError, "(n, legs, 4) expected"),
        (torch.zeros((5, 4), dtype=torch.float64), ValueError, "(n, legs, 4) expected"),
        (torch.zeros((3, 5, 4), dtype=torch.float32), TypeError, "float64 expected"),
    ],
)
def test_bad_input_is_refused(momenta: torch.Tensor, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text.replace("(", r"\(").replace(")", r"\)")):
        invariants(momenta)


@pytest.mark.cuda
@pytest.mark.skipif(
    not torch.cuda.is_available(), reason="no CUDA device: the CUDA kernel is compiled, not run"
)
def test_cuda_equals_cpu() -> None:
    momenta = random_momenta(1000, 5, seed=10)
    on_cpu, on_gpu = momenta.clone().requires_grad_(), momenta.cuda().requires_grad_()
    weights = torch.randn((1000, 10), generator=torch.Generator().manual_seed(11), dtype=torch.float64)
    s_cpu, s_gpu = invariants(on_cpu), invariants(on_gpu)
    torch.testing.assert_close(s_gpu.cpu(), s_cpu, rtol=4e-15, atol=0)
    s_cpu.backward(weights)
    s_gpu.backward(weights.cuda())
    torch.testing.assert_close(on_gpu.grad.cpu(), on_cpu.grad, rtol=1e-12, atol=1e-9)


@pytest.mark.skipif(torch.version.cuda is not None, reason="this Torch has CUDA, so there is no stub")
def test_stub_says_that_there_is_no_cuda() -> None:
    cuda = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
    with pytest.raises(RuntimeError, match="pyamp was built without CUDA"):
        torch.ops.pyamp.invariants.default.redispatch(cuda, random_momenta(1, 5, seed=12), 2)
