"""Do measured rows hold together: from Python with a stand-in for the surrogate, and from Sherpa's summaries?"""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

import pyamp
from pyamp.datasets import generate
from pyamp.errors import PyampError
from pyamp.phase_space import PhaseSpace
from pyamp.processes import Energy, load_process
from pyamp.unweighting import speed_factors
from pyamp.unweighting.measurement import sample_dataset, sample_phase_space
from pyamp.unweighting.sherpa_summary import read_summary, sherpa_speed_factors


class NoisyTruth:
    """A surrogate that is the truth within a few per cent, depending on the photon's direction."""

    couplings = {"alpha_s": 0.1, "alpha": 0.01}  # noqa: RUF012

    def __init__(self):
        self.truth = pyamp.truth("gg_to_aag", alpha_s=0.1, alpha=0.01)

    def __call__(self, momenta):
        amplitude = self.truth.me2(momenta) * (1 + 0.05 * np.sin(momenta[:, 2, 1]))
        outside = np.arange(len(amplitude)) % 100 == 99
        amplitude[outside] = np.nan
        return SimpleNamespace(amplitude=amplitude, sigma_tot=0.03 * amplitude, flags=1 * outside)


def test_measured_row_is_that_of_the_weights():
    card = load_process("gg_to_aag_1tev").model_copy(update={"energy": Energy(sqrt_s_hat=200)})
    surrogate = NoisyTruth()
    weights = sample_phase_space(surrogate, card, 3000, repeats=3, seed=4)
    found = weights.two_stage(n_bootstrap=5, seed=4)
    sample = PhaseSpace(card).sample(3000, seed=4)
    w = sample.weights * surrogate.truth.me2(sample.momenta)
    me2 = surrogate.truth.me2(sample.momenta)
    s = sample.weights * np.where(surrogate(sample.momenta).flags, me2, surrogate(sample.momenta).amplitude)
    expected = speed_factors(w, s, found.times, n_bootstrap=5, seed=4)
    assert found.value == expected.value
    assert found.f_eff == expected.f_eff
    assert 0.9 < found.value.epsilon_2nd < 1
    assert 1e-4 < found.times.t_me < 1
    assert 1e-4 < found.times.t_surr < 1
    assert 1e-5 < found.times.t_ps < 0.1
    row = found.as_row()
    assert row["t_me_ms"] == found.times.t_me
    assert row["mean_p"] == 1.0
    assert all(key.removesuffix("_err") in row for key in row)


class Coarse(NoisyTruth):
    """A screen: off by 20 % at most, and without a domain on one side."""

    def __call__(self, momenta):
        amplitude = self.truth.me2(momenta) * (1 + 0.2 * np.sin(0.3 * momenta[:, 3, 2]))
        outside = momenta[:, 2, 3] > 60
        amplitude[outside] = np.nan
        return SimpleNamespace(amplitude=amplitude, sigma_tot=0.1 * amplitude, flags=1 * outside)


def test_a_screen_changes_the_time_and_the_weights_of_leaks_alone():
    card = load_process("gg_to_aag_1tev").model_copy(update={"energy": Energy(sqrt_s_hat=200)})
    options = {"repeats": 3, "seed": 4}
    without = sample_phase_space(NoisyTruth(), card, 20_000, **options)
    weights = sample_phase_space(NoisyTruth(), card, 20_000, **options, screen=Coarse())
    np.testing.assert_array_equal(weights.surrogate_weights, without.surrogate_weights)
    s, q = weights.surrogate_weights, weights.screen.weights
    screened = weights.screened(0.01)
    s_max = weights.two_stage(budget=0.01, n_bootstrap=2).value.s_max
    known = ~np.isnan(q)
    assert 0.01 < (~known).mean() < 0.9
    excess = np.maximum(s - screened.y_max * q, 0)[known].sum()
    assert excess == pytest.approx(0.01 * s[known].sum())
    uniform = np.random.default_rng(1).random((200, len(s)))
    passed = (uniform < np.where(known, screened.y_max * q / s_max, 1)).mean(axis=1)
    error = passed.std(ddof=1) / np.sqrt(len(passed))
    assert abs(passed.mean() - screened.share) < 4 * error  # 6e-5
    for mode in ("two_stage", "roulette"):
        found, plain = (
            getattr(sample, mode)(
                budget=0.01, n_bootstrap=2, **({"n_eff_over_n": 0.9} if mode == "roulette" else {})
            )
            for sample in (weights, without)
        )
        t_surr = weights.screen.t_screen + screened.share * weights.times.t_surr
        assert found.times.t_surr == pytest.approx(t_surr)
        assert found.value.epsilon_full == plain.value.epsilon_full
        assert 0.97 < found.value.epsilon_1st / plain.value.epsilon_1st < 1
    assert found.value.n_eff_over_n >= 0.9


def test_a_dataset_with_importance_sampling_has_the_efficiencies_of_flat_phase_space(tmp_path):
    """Efficiencies of both within 4 σ of bootstrap errors, three numbers: false alarm below 3e-4, seeds fixed."""
    card = load_process("gg_to_aag_1tev").model_copy(update={"energy": Energy(sqrt_s_hat=200)})
    dataset = generate(card, 20_000, tmp_path / "points.h5", seed=5, importance=0.5)
    surrogate = NoisyTruth()
    options = {"budget": 0.01, "n_bootstrap": 60, "seed": 4}
    found = sample_dataset(surrogate, dataset, repeats=1, seed=4).two_stage(**options)
    flat = sample_phase_space(surrogate, card, 20_000, repeats=1, seed=4).two_stage(**options)
    for name in ("epsilon_full", "epsilon_1st", "epsilon_2nd"):
        errors = getattr(found.error, name), getattr(flat.error, name)
        assert abs(getattr(found.value, name) - getattr(flat.value, name)) < 4 * np.hypot(*errors), name


def summaries():
    truth_run = {
        "mode": "truth",
        "events": {"points": 100_000},
        "gain": {"epsilon_full": 0.02, "t_me_ms": 0.010},
    }
    two_stage_run = {
        "mode": "two_stage",
        "events": {"points": 50_000},
        "second_stage": {"seen": 1000, "accepted": 800},
        "gain": {
            "t_me_ms": 0.010,
            "t_ps_ms": 0.008,
            "t_surr_ms": 0.002,
            "epsilon_1st": 0.02,
            "epsilon_2nd": 0.8,
            "x_max": 1.25,
            "n_eff_over_n": 0.99,
        },
    }
    return truth_run, two_stage_run


def test_sherpa_row_by_hand():
    found = sherpa_speed_factors(*summaries())
    # (0.018 / 0.02) / (((0.002 + 0.008) / 0.02 + 0.010) / 0.8) * 0.99
    assert found.f_eff == pytest.approx(0.9 / (0.51 / 0.8) * 0.99, rel=1e-12)
    assert found.f_eff_limit == pytest.approx(0.9 / (0.008 / 0.02 + 0.010), rel=1e-12)
    full = np.sqrt(0.98 / 0.02 / 100_000)
    first = np.sqrt(0.98 / 0.02 / 50_000) * 0.5 / 0.51
    second = np.sqrt(0.2 / 0.8 / 1000)
    assert found.f_eff_err / found.f_eff == pytest.approx(np.sqrt(full**2 + first**2 + second**2), rel=1e-12)
    row = found.as_row()
    assert row["w_max"] is None
    assert row["epsilon_2nd_err"] == pytest.approx(second * 0.8)


def test_sherpa_row_of_roulette_by_hand():
    """Every event is accepted, and the truth asked for 30 % of them."""
    truth_run, run = summaries()
    run = run | {"mode": "roulette"}
    run["gain"] = run["gain"] | {"epsilon_2nd": 1.0, "x_max": None, "mean_p": 0.3}
    found = sherpa_speed_factors(truth_run, run)
    first = (run["gain"]["t_surr_ms"] + run["gain"]["t_ps_ms"]) / run["gain"]["epsilon_1st"]
    standard = (run["gain"]["t_me_ms"] + run["gain"]["t_ps_ms"]) / truth_run["gain"]["epsilon_full"]
    expected = standard / (first + 0.3 * run["gain"]["t_me_ms"]) * run["gain"]["n_eff_over_n"]
    assert found.f_eff == pytest.approx(expected, rel=1e-12)
    assert found.as_row()["x_max"] is None


def test_sherpa_row_without_a_truth_run_by_hand():
    _, two_stage_run = summaries()
    two_stage_run["gain"]["epsilon_full"] = 0.0198  # ε_1st ⟨x⟩ with ⟨x⟩ = 0.99
    found = sherpa_speed_factors(None, two_stage_run)
    assert found.f_eff == pytest.approx((0.018 / 0.0198) / (0.51 / 0.8) * 0.99, rel=1e-12)
    # ε_1st is in ε_full too: only what T_surrogate does not share of it is left of its error.
    first = np.sqrt(0.98 / 0.02 / 50_000) * 0.01 / 0.51
    second = np.sqrt(0.2 / 0.8 / 1000)
    assert found.f_eff_err / found.f_eff == pytest.approx(np.hypot(first, second), rel=1e-12)


def test_summaries_of_other_runs_are_refused(tmp_path):
    truth_run, _ = summaries()
    path = tmp_path / "truth.yaml"
    path.write_text(yaml.safe_dump(truth_run))
    assert read_summary(path, "truth") == truth_run
    with pytest.raises(
        PyampError, match="MODE truth found, the summary of a run with MODE two_stage expected"
    ):
        read_summary(path, "two_stage")
    path.write_text("hello")
    with pytest.raises(PyampError, match="MODE None found"):
        read_summary(path, "truth")
    with pytest.raises(PyampError, match="cannot read the summary of a Sherpa run"):
        read_summary(tmp_path / "none.yaml", "truth")


def test_benchmark_makes_a_row_from_python_and_one_from_sherpa(tmp_path):
    root = Path(__file__).resolve().parents[2]
    model = root / "tests" / "reference" / "models" / "v1" / "gg_to_aag_float64.safetensors"
    truth_run, two_stage_run = summaries()
    names = {
        "process": "gg_to_aag",
        "truth": "builtin:gg_to_aag",
        "surrogate": "/somewhere/model.safetensors",
    }
    roulette_run = two_stage_run | {"mode": "roulette"}
    roulette_run["gain"] = two_stage_run["gain"] | {"epsilon_2nd": 1.0, "x_max": None, "mean_p": 0.3}
    for name, run in (("truth", truth_run), ("two_stage", two_stage_run), ("roulette", roulette_run)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(names | run))
    command = [sys.executable, root / "benchmarks" / "f_eff.py", model, "--quick", "--points", "2000"]
    command += ["--process", "gg_to_aag_lhc13", "--json", tmp_path / "out.json"]
    command += ["--screen", model.with_name("gg_to_aag_float32.safetensors")]
    command += ["--sherpa-truth", tmp_path / "truth.yaml", "--sherpa-two-stage", tmp_path / "two_stage.yaml"]
    command += ["--sherpa-roulette", tmp_path / "roulette.yaml"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out.json").read_text())
    assert (record["name"], record["quick"]) == ("f_eff", True)
    kinds = [(row["where"], row["process"], row["mode"]) for row in record["rows"]]
    assert kinds[0] == ("python", "gg_to_aag_lhc13", "two_stage")
    row = record["rows"][0]
    assert row["y_max"] == pytest.approx(1, abs=0.1)  # the same network with other digits
    assert row["t_surr_ms"] == pytest.approx(row["t_screen_ms"] + row["screen_share"] * row["t_model_ms"])
    assert kinds[-2:] == [("sherpa", "gg_to_aag", "two_stage"), ("sherpa", "gg_to_aag", "roulette")]
    roulette = record["rows"].pop()
    assert roulette["mean_p"] == 0.3
    assert roulette["x_max"] is None
    keys = "truth surrogate mode t_me_ms t_ps_ms t_surr_ms epsilon_full x_max epsilon_1st epsilon_2nd mean_p"
    keys += " n_eff_over_n f_eff f_eff_err f_eff_limit"
    for row in record["rows"]:
        assert all(
            row[key] is not None for key in keys.split() if (key, row["mode"]) != ("x_max", "roulette")
        )
    assert "limit: f_eff of a perfect surrogate" in done.stdout
