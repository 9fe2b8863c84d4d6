"""The networks of the throughput table: as model files of random weights, and as plain Torch modules for the peers."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from pyamp.likelihoods import LikelihoodConfig, MeanSquaredError
from pyamp.model_file import SELF_TEST_POINTS, ModelInfo, write_model
from pyamp.networks import ACTIVATIONS, MLP
from pyamp.phase_space import PhaseSpace
from pyamp.posteriors import posterior_from_header
from pyamp.processes import load_process
from pyamp.representations import RepresentationConfig
from pyamp.surrogate import Surrogate
from pyamp.targets import TargetConfig

SEED = 5
# σ of the networks over the spread of the standardised target: as after a training, since wide distributions of ln A
# take longer.
SIGMA = 0.01


@dataclass(frozen=True)
class Net:
    """One network; its speed does not depend on the values of its weights, but on the widths that it gives."""

    name: str
    hidden: tuple[int, ...]
    activation: str
    representation: RepresentationConfig
    process: str = "gg_to_aag_1tev"
    likelihood: str = "heteroskedastic_gaussian"
    dtype: torch.dtype = torch.float32
    members: int = 1

    @property
    def dtype_name(self) -> str:
        return str(self.dtype).removeprefix("torch.")


MOMENTA = RepresentationConfig(type="momenta")
INVARIANTS = RepresentationConfig(type="log_invariants")
ORDERED = RepresentationConfig(type="ordered_invariants")
ORDERED_LINEAR = RepresentationConfig(type="ordered_invariants", linear=True)
SMALL, WIDE = (20, 20, 30, 40), (32, 64, 256, 512, 128, 64, 32)

# "fast" and "accurate" are the recipes, "adam" the default configuration, of the accuracy table.
NETS = [
    Net("A", SMALL, "tanh", MOMENTA),
    Net("A64", SMALL, "tanh", MOMENTA, dtype=torch.float64),
    Net("B", WIDE, "gelu", MOMENTA, process="gg_to_aagg_1tev"),
    Net("C", SMALL, "tanh", MOMENTA, members=16),
    Net("D", (128, 128, 128), "gelu", INVARIANTS),
    Net("wide", (512,) * 6, "gelu", INVARIANTS),
    Net("adam", (128, 128, 128), "gelu", ORDERED),
    Net("fast", (128, 128, 128), "tanh", ORDERED_LINEAR, likelihood="mse"),
    Net("accurate", (128, 128, 128), "tanh", ORDERED_LINEAR, likelihood="mse", dtype=torch.float64),
]


def build(net: Net, momenta: np.ndarray) -> Surrogate:
    """The surrogate with random weights, standardised at the momenta ``(n, legs, 4)``."""
    torch.manual_seed(SEED)
    process = load_process(net.process)
    representation = net.representation.build(process.pdg_ids, process.n_incoming)
    likelihood = LikelihoodConfig(type=net.likelihood).build()
    widths = [representation.n_features, *net.hidden, likelihood.n_outputs]
    kind = {"type": "deterministic"} if net.members == 1 else {"type": "ensemble", "members": net.members}
    posterior = posterior_from_header(kind, lambda: MLP(widths, net.activation))
    surrogate = Surrogate(representation, TargetConfig().build(), posterior, likelihood)
    points = torch.from_numpy(momenta)
    amplitude = representation.log_factor(points).exp() * torch.rand(len(points), dtype=torch.float64)
    surrogate.fit_preprocessing(points, amplitude)
    give_width(surrogate, SIGMA)
    surrogate.to_dtype(net.dtype)
    return surrogate


def give_width(surrogate: Surrogate, sigma: float) -> None:
    """Sets the standard deviations of the standardised target, up to what the random weights add to their logarithm."""
    if isinstance(surrogate.likelihood, MeanSquaredError):
        surrogate.likelihood.sigma = sigma
        return
    *_, (name, bias) = ((n, p) for n, p in surrogate.posterior.named_parameters() if n.endswith("bias"))
    if bias.shape[-1] != surrogate.likelihood.n_outputs:
        raise AssertionError(f"{name} is not the last bias")
    with torch.no_grad():
        bias[..., 1] = math.log(sigma)


def sample(net: Net, n: int) -> np.ndarray:
    """Momenta ``(n, legs, 4)`` in the domain of the net."""
    return np.ascontiguousarray(PhaseSpace(net.process).sample(n, seed=SEED).momenta)


def write(path: Path, net: Net, surrogate: Surrogate, momenta: np.ndarray) -> Path:
    """The model file, with self-test points from the momenta."""
    process = load_process(net.process)
    legs = process.n_legs
    info = ModelInfo(
        process={
            "name": process.amplitude,
            "pdg_ids": list(process.pdg_ids),
            "n_incoming": process.n_incoming,
        },
        couplings={
            "alpha_s": 0.118,
            "alpha": 1 / 137.035999084,
            "alpha_s_power": 2 * (legs - 4) + 1,
            "alpha_power": 2,
        },
        spin_colour_average=256.0,
        domain=process.domain(),
        training={"seed": SEED},
        metrics={"x_max": 1.0},
    )
    write_model(path, surrogate, info, torch.from_numpy(momenta[:SELF_TEST_POINTS]))
    return path


class PlainNetwork(torch.nn.Module):
    """What the peers run: the matrices and activations of a surrogate, without checks, likelihood or moments.

    Parameters
    ----------
    surrogate : Surrogate
    from_momenta : bool
        Start from momenta ``(n, legs, 4)`` in float64 instead of features ``(n, n_features)`` in the network's dtype;
        for log-invariants of unordered legs.
    """

    def __init__(self, surrogate: Surrogate, from_momenta: bool) -> None:
        super().__init__()
        network = surrogate.posterior.architecture
        assert isinstance(network, MLP)
        representation = surrogate.representation
        tensors = surrogate.posterior.tensors()
        self.from_momenta = from_momenta
        self.is_ensemble = surrogate.posterior.members > 1
        self.activate = ACTIVATIONS[network.activation]
        self.n_layers = len(network.layers)
        for layer in range(self.n_layers):
            weight = tensors[f"layers.{layer}.weight"].detach().clone()
            bias = tensors[f"layers.{layer}.bias"].detach().clone()
            # baddbmm takes (members, n_in, n_out) and (members, 1, n_out)
            self.register_buffer(f"weight{layer}", weight.mT.contiguous() if self.is_ensemble else weight)
            self.register_buffer(f"bias{layer}", bias[:, None] if self.is_ensemble else bias)
        if from_momenta:
            legs = representation.n_legs
            pairs = [(i, j) for i in range(legs) for j in range(i + 1, legs)]
            self.register_buffer("metric", torch.tensor([2.0, -2.0, -2.0, -2.0], dtype=torch.float64))
            self.register_buffer("pairs", torch.tensor([i * legs + j for i, j in pairs]))
            self.register_buffer("mean", representation.mean.clone())
            self.register_buffer("std", representation.std.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.from_momenta:
            products = torch.matmul(x * self.metric, x.transpose(1, 2)).abs().flatten(1)[:, self.pairs]
            features = (products[:, 1:] / products[:, :1]).log()
            x = ((features - self.mean) / self.std).to(self.weight0.dtype)
        if self.is_ensemble:
            x = x.expand(self.weight0.shape[0], x.shape[0], x.shape[1])
        for layer in range(self.n_layers):
            weight, bias = getattr(self, f"weight{layer}"), getattr(self, f"bias{layer}")
            x = torch.baddbmm(bias, x, weight) if self.is_ensemble else functional.linear(x, weight, bias)
            if layer + 1 < self.n_layers:
                x = self.activate(x)
        return x


def flop(surrogate: Surrogate) -> int:
    """Multiplications and additions of the matrices for one point, of all members."""
    tensors = surrogate.posterior.tensors()
    return sum(2 * value.numel() for name, value in tensors.items() if name.endswith("weight"))
