"""The evaluator of model files once more, from their description in docs/files.md: NumPy, float64, point by point.

It shares nothing with the package: what both agree on is what the description says.
"""

from __future__ import annotations

from itertools import combinations, pairwise, permutations
from typing import Any

import numpy as np
from scipy.interpolate import BSpline
from scipy.special import erf, expit

Header = dict[str, Any]
Tensors = dict[str, np.ndarray]

ACTIVATIONS = {
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x * expit(x),
    "sine": np.sin,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "tanh": np.tanh,
}


def abs_invariants(momenta: np.ndarray) -> np.ndarray:
    """``|s_ij|`` of massless legs, ``(n, legs, legs)``."""
    p = momenta[:, :, 1:]
    norm = np.linalg.norm(p, axis=2)
    return np.abs(2 * (norm[:, :, None] * norm[:, None, :] - np.einsum("nik,njk->nij", p, p)))


def leg_pairs(n_legs: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n_legs) for j in range(i + 1, n_legs) if (i, j) != (0, 1)]


def in_order(header: Header, point: np.ndarray) -> np.ndarray:
    """|s_ij| of one point with identical legs in their order."""
    order = list(range(len(point)))
    for group in header["ordering"]:
        by_key = sorted(group["legs"], key=lambda leg: -sum(point[leg, w] for w in group["reference"]))
        for slot, leg in zip(group["legs"], by_key, strict=True):
            order[slot] = leg
    if "conjugation" in header:
        entry = header["conjugation"]
        of_first, of_conjugate = (
            sum(point[entry[name][0], w] for w in entry["reference"]) for name in ("legs", "conjugates")
        )
        if of_conjugate > of_first:
            for leg, conjugate in zip(entry["legs"], entry["conjugates"], strict=True):
                order[leg], order[conjugate] = conjugate, leg
    return point[np.ix_(order, order)]


def propagator(resonance: Header, ordered: np.ndarray) -> complex:
    """s/(s - M² + iMΓ)"""
    legs, mass, width = resonance["legs"], resonance["mass"], resonance["width"]
    s = sum(ordered[i, j] for i in legs for j in legs if i < j)
    return s / (s - mass**2 + 1j * mass * width)


def dipole(entry: Header, s: np.ndarray, n_incoming: int = 2) -> tuple[float, float, float]:
    """s_01 D and its variables, with y, x, z, u, v as the textbook has them."""
    (i, j), k, splitting = entry["emitter"], entry["spectator"], entry["splitting"]
    soft, hard, is_final = 2.0, 1.0, i >= n_incoming
    if is_final and k >= n_incoming:
        y = s[i, j] / (s[i, j] + s[i, k] + s[j, k])
        z = s[i, k] / (s[i, k] + s[j, k])
        first, second, x = y, z, 1.0
        quark, gluon = 1 / (1 - z * (1 - y)), 1 / (1 - (1 - z) * (1 - y))
    elif is_final:
        x = first = 1 - s[i, j] / (s[i, k] + s[j, k])
        z = second = s[i, k] / (s[i, k] + s[j, k])
        quark, gluon = 1 / (1 - z + 1 - x), 1 / (z + 1 - x)
    elif k >= n_incoming:
        x = first = 1 - s[j, k] / (s[i, j] + s[i, k])
        second = s[i, j] / (s[i, j] + s[i, k])
        quark = 1 / (1 - x + second)
    else:
        x = first = 1 - (s[i, j] + s[j, k]) / s[i, k]
        second = s[i, j] / s[i, k]
        quark = 1 / (1 - x)
    if is_final:
        V = {
            "qg": lambda: soft * quark - hard - z,
            "gg": lambda: soft * (quark + gluon - 2 + z * (1 - z)),
            "qq": lambda: 1 - 2 * z * (1 - z),
        }[splitting]()
    else:
        V = {
            "qg": lambda: soft * quark - hard - x,
            "gg": lambda: soft * (quark - 1 + x * (1 - x) + (1 - x) / x),
            "gq": lambda: 1 - 2 * x * (1 - x),
            "qq": lambda: x + 2 * (1 - x) / x,
        }[splitting]()
    return s[0, 1] / s[i, j] / x * V, first, second


def multiparticle_invariants(header: Header, point: np.ndarray, n_incoming: int = 2) -> list[float]:
    """|s_I|/s_01 of three legs and more: of outgoing ones, and of few with one incoming."""
    n_legs = len(point)
    sign = np.where(np.arange(n_legs) < n_incoming, -1.0, 1.0)
    s = in_order(header, point) * np.outer(sign, sign) / point[0, 1]
    result = []
    for size in range(3, n_legs - 2):
        for legs in combinations(range(n_legs), size):
            half = 2 * size < n_legs or (2 * size == n_legs and 0 in legs)
            if sum(leg < n_incoming for leg in legs) <= half:
                result.append(abs(np.triu(s[np.ix_(legs, legs)], 1).sum()))
    return result


def antenna(entry: Header, point: np.ndarray) -> float:
    """The sum over all orders of gluons, term by term."""
    ends, gluons = entry["ends"], entry["gluons"]
    total = 0.0
    for order in permutations(gluons if ends else gluons[1:]):
        chain = [ends[0], *order, ends[1]] if ends else [gluons[0], *order, gluons[0]]
        total += np.prod([point[0, 1] / point[i, j] for i, j in pairwise(chain)])
    return total


def raw_features(header: Header, momenta: np.ndarray) -> np.ndarray:
    """Features before they are standardised."""
    s = abs_invariants(momenta)
    n_legs = momenta.shape[1]
    if header["type"] == "momenta":
        return (momenta / np.sqrt(s[:, 0, 1])[:, None, None]).reshape(len(momenta), -1)
    rows = []
    for point in s:
        ordered = in_order(header, point)
        values = [ordered[i, j] / point[0, 1] for i, j in leg_pairs(n_legs)]
        row = [*np.log(values), *(values if header.get("linear") else [])]
        if header.get("energy"):
            row.append(np.log(point[0, 1]))
        if header.get("multiparticle"):
            row += [*np.log(multiparticle_invariants(header, point))]
        for resonance in header.get("resonances", []):
            chi = propagator(resonance, ordered)
            row += [np.angle(1j * chi), np.log(1 + abs(chi) ** 2)]
        dipoles = [dipole(entry, ordered) for entry in header.get("dipoles", [])]
        if dipoles:
            values, first, second = zip(*dipoles, strict=True)
            row += [*np.arcsinh(values), *first, *second]
        rows.append(row)
    return np.array(rows)


def features(header: Header, momenta: np.ndarray) -> np.ndarray:
    return (raw_features(header, momenta) - np.array(header["mean"])) / np.array(header["std"])


def singular_factor(header: Header, momenta: np.ndarray) -> np.ndarray:
    s = abs_invariants(momenta)
    result = np.ones(len(momenta))
    for term in header["factor"]:
        result *= s[:, term["i"], term["j"]] ** term["power"]
    for resonance in header.get("resonances", []):
        result *= [1 + abs(propagator(resonance, in_order(header, point))) ** 2 for point in s]
    if "antenna" in header:
        result *= [antenna(header["antenna"], point) for point in s]
    return result


def linear(tensors: Tensors, name: str, x: np.ndarray) -> np.ndarray:
    return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]


def mlp(
    tensors: Tensors,
    prefix: str,
    x: np.ndarray,
    activation: str,
    *,
    residual: bool = False,
    end: bool = False,
) -> np.ndarray:
    act = ACTIVATIONS[activation]
    n_layers = sum(name.startswith(f"{prefix}layers.") and name.endswith("weight") for name in tensors)
    for layer in range(n_layers):
        y = linear(tensors, f"{prefix}layers.{layer}", x)
        if layer == n_layers - 1:
            return act(y) if end else y
        y = act(y)
        x = y + x if residual and layer > 0 and x.shape == y.shape else y
    raise AssertionError("a network without layers")


def kan(header: Header, tensors: Tensors, x: np.ndarray) -> np.ndarray:
    G, k, R = header["intervals"], header["order"], header["range"]
    knots = -R + 2 * R / G * np.arange(-k, G + k + 1)
    splines = [BSpline(knots, row, k) for row in np.eye(G + k)]
    for layer in range(len(header["widths"]) - 1):
        u = R * np.tanh(x / R)
        basis = np.stack([spline(u) for spline in splines], axis=-1)
        expanded = np.concatenate([ACTIVATIONS["silu"](x), basis.reshape(len(x), -1)], axis=1)
        x = linear(tensors, f"layers.{layer}", expanded)
    return x


def group_kan(header: Header, tensors: Tensors, x: np.ndarray) -> np.ndarray:
    g, n_layers = header["groups"], len(header["widths"]) - 1
    for layer in range(n_layers):
        x = linear(tensors, f"layers.{layer}", x)
        if layer == n_layers - 1:
            break
        a, b = tensors[f"activations.{layer}.numerator"], tensors[f"activations.{layer}.denominator"]
        n = x.shape[1]
        for i in range(n):
            above = sum(a[i * g // n, p] * x[:, i] ** p for p in range(header["numerator"] + 1))
            below = sum(b[i * g // n, q - 1] * x[:, i] ** q for q in range(1, header["denominator"] + 1))
            x[:, i] = above / (1 + np.abs(below))
    return x


def dsi(header: Header, tensors: Tensors, x: np.ndarray) -> np.ndarray:
    classes, act = header["classes"], header["activation"]
    legs = range(len(classes))
    columns = {pair: k for k, pair in enumerate(leg_pairs(len(classes)))}
    column = lambda i, j: columns.get((min(i, j), max(i, j))) if i != j else None  # noqa: E731
    of_classes = []
    for c in sorted(set(classes)):
        of_legs = []
        for i in (leg for leg in legs if classes[leg] == c):
            parts = []
            for d in sorted(set(classes)):
                if f"pair.{c}_{d}.layers.0.weight" not in tensors:
                    continue
                total = np.zeros((len(x), header["pair_widths"][-1]))
                for j in (leg for leg in legs if classes[leg] == d and column(i, leg) is not None):
                    total += mlp(tensors, f"pair.{c}_{d}.", x[:, [column(i, j)]], act, end=True)
                parts.append(total)
            of_legs.append(mlp(tensors, f"particle.{c}.", np.concatenate(parts, axis=1), act, end=True))
        of_classes.append(sum(of_legs))
    return mlp(tensors, "head.", np.concatenate(of_classes, axis=1), act)


def fks(header: Header, tensors: Tensors, x: np.ndarray) -> np.ndarray:
    d, n_pairs = header["target_std"], len(header["pairs"])
    outputs = [
        mlp({name: values[k] for name, values in tensors.items()}, "", x, header["activation"])
        for k in range(1 + n_pairs)
    ]
    n_legs = next(n for n in range(4, 9) if n * (n - 1) // 2 - 1 == x.shape[1])
    order = leg_pairs(n_legs)
    y = np.exp(x * np.array(header["std"]) + np.array(header["mean"]))
    y = y[:, [order.index((min(pair), max(pair))) for pair in header["pairs"]]]
    result = outputs[0].copy()
    for point in np.flatnonzero(y.min(axis=1) < header["y_cut"]):
        S = (1 / y[point]) / np.sum(1 / y[point])
        A = np.array([np.exp(d * outputs[1 + k][point, 0]) for k in range(n_pairs)])
        sigma = A * np.array([np.exp(outputs[1 + k][point, 1]) for k in range(n_pairs)])
        total = np.sum(S * A)
        result[point] = np.log(total) / d, np.log(np.sqrt(np.sum((S * sigma) ** 2)) / total)
    return result


def dipole_sum(header: Header, tensors: Tensors, x: np.ndarray) -> np.ndarray:
    n = header["dipoles"]
    outputs = mlp(tensors, "mlp.", x, header["activation"])
    arsinh_D = x[:, x.shape[1] - 3 * n :][:, :n] * np.array(header["std"]) + np.array(header["mean"])
    terms = np.array(header["scale"]) * np.sinh(outputs[:, :n]) * np.sinh(arsinh_D)
    e = header["floor"]
    log_r = np.arcsinh(terms.sum(axis=1) / (2 * e)) + np.log(e) + outputs[:, n]
    return np.concatenate([log_r[:, None] / header["target_std"], outputs[:, n + 1 :]], axis=1)


def network_outputs(header: Header, tensors: Tensors, x: np.ndarray) -> np.ndarray:
    """Outputs of one member, ``(n, n_outputs)``."""
    if header["type"] == "mlp":
        return mlp(tensors, "", x, header["activation"], residual=header.get("residual", False))
    return {"kan": kan, "group_kan": group_kan, "dsi": dsi, "fks": fks, "dipole": dipole_sum}[header["type"]](
        header, tensors, x
    )


def mixture(header: Header, outputs: np.ndarray) -> list[tuple[np.ndarray, ...]]:
    """Weight, mean, variance and statistical variance of each Gaussian, ``(n,)``."""
    one, zero = np.ones(len(outputs)), np.zeros(len(outputs))
    variance = lambda log_sigma: np.minimum(np.exp(2 * log_sigma), 1)  # noqa: E731
    if header["type"] == "heteroskedastic_gaussian":
        return [(one, outputs[:, 0], variance(outputs[:, 1]), zero)]
    if header["type"] == "mse":
        return [(one, outputs[:, 0], header["sigma"] ** 2 * one, zero)]
    if header["type"] == "gaussian_mixture":
        K = header["components"]
        weights = np.exp(outputs[:, :K] - outputs[:, :K].max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        return [(weights[:, k], outputs[:, K + k], variance(outputs[:, 2 * K + k]), zero) for k in range(K)]
    softplus = ACTIVATIONS["softplus"]
    nu, alpha, beta = softplus(outputs[:, 1]), 1 + softplus(outputs[:, 2]), softplus(outputs[:, 3])
    aleatoric = np.minimum(beta / (alpha - 1), 1)
    return [(one, outputs[:, 0], aleatoric, np.minimum(beta / (alpha - 1) / nu, 1))]


def gaussian_amplitude(
    target: Header, f: np.ndarray, mu: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the amplitude of a Gaussian of the standardised target."""
    m, d = target["mean"], target["std"]
    s2 = d**2 * variance
    if target["type"] == "linear":
        return f * (m + d * mu), f * np.sqrt(s2)
    exponential = np.exp(m + d * mu + s2 / 2)
    if target["type"] == "log":
        return f * exponential, f * exponential * np.sqrt(np.expm1(s2))
    c = target["scale"]
    return f * c * (exponential - 1), f * c * exponential * np.sqrt(np.expm1(s2))


def sigma_network_syst(
    target: Header, f: np.ndarray, amplitude: np.ndarray, log_sigma: np.ndarray
) -> np.ndarray:
    width = np.sqrt(np.expm1(target["std"] ** 2 * np.exp(2 * log_sigma)))
    if target["type"] == "log":
        return amplitude * width
    if target["type"] == "log1p":
        return (amplitude + f * target["scale"]) * width
    return f * target["std"] * np.exp(log_sigma)


def recalibration_factor(header: Header, u: np.ndarray) -> np.ndarray:
    if header["type"] == "scale":
        return np.full(len(u), header["scale"])
    x, y = np.array(header["sigma"]), np.array(header["calibrated"])
    inside = np.exp(np.interp(np.log(u), np.log(x), np.log(y))) / u
    return np.where(u < x[0], y[0] / x[0], np.where(u > x[-1], y[-1] / x[-1], inside))


def evaluate(
    header: Header, tensors: Tensors, momenta: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``(amplitude, sigma_syst, sigma_stat)``, couplings stripped, of any model."""
    x = features(header["representation"], momenta)
    f = singular_factor(header["representation"], momenta)
    tensors = {name: values.astype(np.float64) for name, values in tensors.items()}
    network = {name: values for name, values in tensors.items() if not name.startswith("sigma_network.")}
    if header["posterior"]["type"] == "deterministic":
        members = [network]
    else:
        members = [{name: v[m] for name, v in network.items()} for m in range(header["posterior"]["members"])]
    target = header["target"]
    means, variances, statistical = [], [], []
    for member in members:
        gaussians = mixture(header["likelihood"], network_outputs(header["network"], member, x))
        moments = [(w, *gaussian_amplitude(target, f, mu, v)) for w, mu, v, _ in gaussians]
        mean = sum(w * A for w, A, _ in moments)
        means.append(mean)
        variances.append(sum(w * (sigma**2 + (A - mean) ** 2) for w, A, sigma in moments))
        statistical.append(sum(w * gaussian_amplitude(target, f, mu, v)[1] ** 2 for w, mu, _, v in gaussians))
    amplitude = np.mean(means, axis=0)
    sigma_syst = np.sqrt(np.mean(variances, axis=0))
    sigma_stat = np.sqrt(np.var(means, axis=0) + np.mean(statistical, axis=0))
    if "sigma_network" in header:
        log_sigma = mlp(tensors, "sigma_network.", x, header["sigma_network"]["activation"])[:, 0]
        sigma_syst = sigma_network_syst(target, f, amplitude, np.minimum(log_sigma, 0))
    if "recalibration" in header:
        u = np.hypot(sigma_syst, sigma_stat) / np.abs(amplitude)
        factor = recalibration_factor(header["recalibration"], u)
        sigma_syst, sigma_stat = sigma_syst * factor, sigma_stat * factor
    return amplitude, sigma_syst, sigma_stat
