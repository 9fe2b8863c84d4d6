"""Is phase space flat, conserved and on shell? Does it integrate right? Is a trial the same wherever drawn?

Statistical tests have a fixed seed; each p-value is asked to exceed 1e-4, so a correct code with another seed
would fail one of them with that probability.
"""

import math

import numpy as np
import pytest
from scipy import stats

from pyamp import _core
from pyamp.cuts import Cuts
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Energy, Process

P_MIN = 1e-4
PICOBARN = 0.3893793721e9


def process(pdg_ids=(21, 21, 22, 22, 21), cuts=None, **energy) -> Process:
    return Process(
        name="test",
        amplitude="gg_to_aag",
        pdg_ids=pdg_ids,
        energy=Energy(**energy),
        cuts=cuts or Cuts(),
    )


def mass_squared(p: np.ndarray) -> np.ndarray:
    return p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(axis=-1)


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [  # kat_vectors of Random123 1.14, philox4x32, 10 rounds
        ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_published_numbers(counter, key, expected):
    assert [f"{word:08x}" for word in _core.philox4x32_10(counter, key)] == expected.split()


def test_streams_of_random_numbers_are_uniform_and_open():
    u = _core.unweighting_uniforms(1, 0, 100_000, 2)
    assert 0 < u.min() < u.max() < 1
    assert stats.kstest(u[:, 0], "uniform").pvalue > P_MIN
    assert stats.kstest(u[:, 1], "uniform").pvalue > P_MIN
    assert stats.pearsonr(u[:, 0], u[:, 1]).pvalue > P_MIN
    np.testing.assert_array_equal(_core.unweighting_uniforms(1, 500, 10, 1), u[500:510, :1])


def test_three_body_dalitz_plot_is_flat():
    p = PhaseSpace(process(sqrt_s_hat=1000)).trials(200_000, seed=1).momenta
    s12 = mass_squared(p[:, 2] + p[:, 3]) / 1e6
    s23 = mass_squared(p[:, 3] + p[:, 4]) / 1e6
    # Flat on the triangle s12 + s23 < 1: both of these are uniform, and independent.
    first, second = 1 - (1 - s12) ** 2, s23 / (1 - s12)
    for variable in (first, second):
        assert stats.kstest(variable, "uniform").pvalue > P_MIN
    cells, _, _ = np.histogram2d(first, second, bins=20, range=[[0, 1], [0, 1]])
    assert stats.chisquare(cells.ravel()).pvalue > P_MIN


def test_directions_are_isotropic():
    p = PhaseSpace(process(sqrt_s_hat=1000)).trials(200_000, seed=2).momenta
    for leg in (2, 3, 4):
        assert stats.kstest(p[:, leg, 3] / p[:, leg, 0], "uniform", args=(-1, 2)).pvalue > P_MIN
        phi = np.arctan2(p[:, leg, 2], p[:, leg, 1])
        assert stats.kstest(phi, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > P_MIN


def test_four_body_pair_mass_has_the_analytic_distribution():
    p = PhaseSpace(process(pdg_ids=(21, 21, 22, 22, 21, 21), sqrt_s_hat=700)).trials(200_000, seed=3).momenta
    x = mass_squared(p[:, 2] + p[:, 3]) / 700**2
    # dV4/dx ~ (two-body volume of the pair: constant) * (three-body one of a mass x and two massless legs).
    grid = np.linspace(0, 1, 4001)[1:]
    density = (1 - grid**2) / 2 + grid * np.log(grid)
    cdf = np.concatenate([[0], np.cumsum(density)])
    assert stats.kstest(x, lambda v: np.interp(v, [0, *grid], cdf / cdf[-1])).pvalue > P_MIN


@pytest.mark.parametrize("energy", [{"sqrt_s_hat": 1000}, {"sqrt_s": 13000, "sqrt_s_hat_min": 20}])
def test_momenta_are_on_shell_and_conserved_to_rounding(energy):
    p = PhaseSpace(process(**energy)).trials(100_000, seed=4).momenta
    assert (p[:, :, 0] > 0).all()
    assert np.abs(mass_squared(p) / p[..., 0] ** 2).max() < 1e-14
    difference = p[:, :2].sum(axis=1) - p[:, 2:].sum(axis=1)
    assert (np.abs(difference).max(axis=1) / p[:, :2, 0].max(axis=1)).max() < 4e-15


def test_volume_without_cuts_is_the_analytic_one():
    assert math.isclose(_core.massless_phase_space_volume(2, 50.0), 1 / (8 * np.pi), rel_tol=1e-14)
    s = 1000.0**2
    sample = PhaseSpace(process(sqrt_s_hat=1000)).trials(1000, seed=5)
    assert sample.n_trials == len(sample.weights) == 1000
    volume = s / (256 * np.pi**3)
    sigma, error = sample.integrate(1 / s)
    # A flat weight: no spread. 1/2 for the two photons, 1/(2 s) for the flux.
    assert math.isclose(sigma, 0.5 * PICOBARN / (2 * s) * volume / s, rel_tol=1e-12)
    assert error < 1e-9 * sigma


def test_cross_section_within_cuts_agrees_with_an_independent_integral():
    cuts = Cuts(
        pt_min={"22": 30, "21": 20},
        abs_eta_max={"22": 2.37, "21": 5},
        delta_r_min={"22,22": 0.4, "22,21": 0.4},
    )
    sample = PhaseSpace(process(cuts=cuts, sqrt_s_hat=1000)).trials(1_000_000, seed=6)
    # |M|^2 = 1/(256 s) averaged over initial states; 4.391e-5 pb is that of another RAMBO, and Sherpa 3.0.3
    # with the same matrix element gave 4.375(91)e-5 pb. Tolerance: error of the reference, four of ours.
    sigma, error = sample.integrate(1 / 1000.0**2 / 256)
    assert abs(sigma - 4.391e-5) < 0.002e-5 + 4 * error
    assert error < 0.0005 * sigma


@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_hadronic_weights_integrate_energy_and_rapidity(exponent):
    sample = PhaseSpace(
        process(pdg_ids=(21, 21, 22, 21), sqrt_s=13000, sqrt_s_hat_min=50, tau_exponent=exponent)
    ).trials(200_000, seed=7)
    s_hat = 4 * sample.momenta[:, 0, 0] * sample.momenta[:, 1, 0]
    # With |M|^2 = 2 s_hat / (volume pb) what is left is the area in ln(tau) and y.
    area, error = sample.integrate(2 * s_hat * 8 * np.pi / PICOBARN)
    expected = (2 * np.log(50 / 13000)) ** 2 / 2
    assert abs(area - expected) < 4 * error
    assert error < 0.005 * expected
    y = 0.5 * np.log(sample.momenta[:, 0, 0] / sample.momenta[:, 1, 0])
    assert stats.kstest(y / np.log(13000**2 / s_hat) + 0.5, "uniform").pvalue > P_MIN


def test_energies_follow_the_density_of_the_card():
    p = PhaseSpace(process(sqrt_s=13000, sqrt_s_hat_min=100, sqrt_s_hat_max=5000, tau_exponent=0.4))
    momenta = p.trials(100_000, seed=8).momenta
    tau = 4 * momenta[:, 0, 0] * momenta[:, 1, 0] / 13000**2
    low, high = (100 / 13000) ** 2, (5000 / 13000) ** 2
    assert low * (1 - 1e-12) < tau.min() < tau.max() < high * (1 + 1e-12)
    cdf = (low**-0.4 - tau**-0.4) / (low**-0.4 - high**-0.4)
    assert stats.kstest(cdf, "uniform").pvalue > P_MIN


def test_a_trial_is_the_same_wherever_it_is_drawn():
    space = PhaseSpace("gg_to_aag_lhc13")
    whole = space.trials(5000, seed=9)
    first, second = space.trials(1234, seed=9), space.trials(5000 - 1234, seed=9, start=1234)
    np.testing.assert_array_equal(whole.momenta, np.concatenate([first.momenta, second.momenta]))
    np.testing.assert_array_equal(whole.trials, np.concatenate([first.trials, second.trials]))
    n = len(whole.weights)
    counted = space.sample(n, seed=9)
    np.testing.assert_array_equal(whole.weights, counted.weights)
    assert counted.n_trials == whole.trials[-1] + 1
    assert not np.array_equal(whole.weights[:50], space.sample(50, seed=10).weights)


def test_no_points_and_impossible_requests():
    space = PhaseSpace("gg_to_aag_1tev")
    assert space.sample(0, seed=1).momenta.shape == (0, 5, 4)
    with pytest.raises(PyampError, match="n is -1; expected an integer from 0"):
        space.sample(-1, seed=1)
    impossible = PhaseSpace(process(cuts=Cuts(pt_min={"22": 600}), sqrt_s_hat=1000))
    with pytest.raises(PyampError, match="trials in a row fail the cuts; loosen the cuts"):
        impossible.sample(1, seed=1)
