"""Does the report show the numbers of the files and figures that open, and would its p-values catch a wrong sample?"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import sys

import matplotlib.image
import numpy as np
import pytest
from scipy import stats

from pyamp.cli import main
from pyamp.datasets import generate
from pyamp.errors import PyampError
from pyamp.processes import load_process
from pyamp.report import figures, write_report
from pyamp.report.comparison import Sample, compare
from pyamp.report.observables import Observable, observables_of
from pyamp.report.table import cells
from pyamp.unweighting import EventFile, generate_events
from tests.python.test_unweight_stream import CARD, MODEL, SETTINGS


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("points") / "points.h5"
    generate(CARD, 8000, path, seed=7)
    return path


@pytest.fixture(scope="module")
def files(dataset):
    """Events of the three modes, of the same points."""
    for mode in ("direct", "two_stage", "roulette"):
        settings = dataclasses.replace(SETTINGS, mode=mode)
        generate_events(MODEL, dataset.parent / f"{mode}.h5", settings, datasets=[dataset])
    return {mode: dataset.parent / f"{mode}.h5" for mode in ("direct", "two_stage", "roulette")}


@pytest.fixture(scope="module")
def page(files, dataset, tmp_path_factory):
    """The text of a report of two files against the dataset, and its rows; figures of the first one."""
    output = tmp_path_factory.mktemp("report") / "report.html"
    real = figures.drawn
    with pytest.MonkeyPatch.context() as patch:
        drawn = []
        patch.setattr(
            figures, "drawn", lambda *of: drawn.append(of) or (real(*of) if len(drawn) <= 14 else b"-")
        )
        rows = write_report([files["two_stage"], files["roulette"]], output, dataset)
    return output, output.read_text(encoding="utf-8"), rows


def table_of(text):
    """Rows of the table of factors: the numbers behind its cells, by key."""
    table = re.search(r'<table id="factors">(.*?)</table>', text, re.DOTALL)[1]
    cell = re.compile(r'<td data-key="(\w+)" data-value="([^"]*)"')
    return [dict(cell.findall(row)) for row in table.split("<tr>")[2:]]


def test_numbers_of_the_table_are_those_of_the_files(page, files):
    _, text, rows = page
    found = table_of(text)
    assert [row["mode"] for row in found] == ["two_stage", "roulette"]
    for row, mode in zip(found, ("two_stage", "roulette"), strict=True):
        info = EventFile.open(files[mode]).info
        expected = {
            "t_me_ms": info.t_me,
            "t_ps_ms": info.t_ps,
            "t_surr_ms": info.t_surr,
            "x_max": info.x_max,
            "epsilon_1st": info.epsilon_1st,
            "epsilon_2nd": info.epsilon_2nd,
            "mean_p": info.mean_p,
            "n_eff_over_n": info.n_eff_over_n,
        }
        for key, value in expected.items():
            assert float(row[key]) == value, key
    for row, of_call in zip(found, rows, strict=True):
        t_me, t_ps, t_surr = (of_call[f"t_{name}_ms"] for name in ("me", "ps", "surr"))
        standard = (t_me + t_ps) / of_call["epsilon_full"] / of_call["n_eff_over_n_standard"]
        first = (t_surr + t_ps) / of_call["epsilon_1st"] + of_call["mean_p"] * t_me
        by_hand = standard / (first / of_call["epsilon_2nd"] / of_call["n_eff_over_n"])
        assert float(row["f_eff"]) == pytest.approx(by_hand, rel=1e-12)
        assert float(row["f_eff_limit_roulette"]) == pytest.approx((t_me + t_ps) / t_ps, rel=1e-12)
        assert of_call["f_eff_err"] > 0


def test_epsilon_full_is_that_of_direct_unweighting(page, files):
    """From the pilot, whose points are others than those of the direct sample: 4 sigma of both."""
    direct = EventFile.open(files["direct"]).info
    row = page[2][0]
    error = np.hypot(row["epsilon_full_err"], np.sqrt(direct.epsilon_1st / direct.n_points))
    assert row["epsilon_full"] == pytest.approx(direct.epsilon_1st, abs=4 * error)
    assert direct.w_max == EventFile.open(files["two_stage"]).info.w_max


def test_figures_decode_and_lie_beside_the_page(page):
    output, text, _ = page
    embedded = re.findall(r'<img alt="(\w+)" src="data:image/png;base64,([^"]+)"', text)
    names = [name for name, _ in embedded]
    expected = [
        "x",
        "weights",
        *(o.name for o in observables_of(CARD)),
        "f_eff_x_max",
        "f_eff_p_min",
        "timing",
    ]
    assert names == 2 * expected
    folder = output.with_name("report_figures")
    assert len(list(folder.glob("*.png"))) == len(embedded)
    for name, content in embedded[: len(expected)]:
        png = base64.b64decode(content)
        assert (folder / f"two_stage_{name}.png").read_bytes() == png
        image = matplotlib.image.imread(io.BytesIO(png))
        assert min(image.shape[:2]) > 200
        assert image[..., :3].std() > 0.02  # something is drawn


def test_page_needs_no_network(page):
    text = page[1]
    assert "http" not in re.sub(r"base64,[^\"]+", "", text)
    assert text.startswith("<!DOCTYPE html>")
    assert "undefined" not in text.lower()
    assert "p-values are those of unweighting alone" in text


def test_p_values_of_events_are_uniform_enough(page):
    """18 p-values of correct samples, correlated: one below 1e-5 occurs once in 5000 runs."""
    found = [float(p) for p in re.findall(r'data-key="p_value" data-value="([^"]+)"', page[1])]
    assert len(found) == 2 * len(observables_of(CARD))
    assert min(found) > 1e-5
    assert len(set(found)) == len(found)


def toy(seed, n, change=1.0):
    """Events whose observable is the energy of the first leg."""
    generator = np.random.default_rng(seed)
    momenta = np.zeros((n, CARD.n_legs, 4))
    momenta[:, 0, 0] = generator.exponential(size=n) * change
    return Sample("toy", CARD, momenta, generator.lognormal(sigma=0.2, size=n) / n, n)


ENERGY = Observable("e", "E", lambda p: p[:, 0, 0])


def test_chi_squared_has_its_distribution():
    """300 pairs of independent samples; a correct code fails with a probability of 1e-4."""
    p = [compare(toy(2 * k, 2000), toy(2 * k + 1, 6000), ENERGY).p_value for k in range(300)]
    assert stats.kstest(p, "uniform").pvalue > 1e-4
    distorted = [compare(toy(2 * k, 2000, 1.2), toy(2 * k + 1, 6000), ENERGY).p_value for k in range(100)]
    assert np.median(distorted) < 1e-3


def test_events_of_the_points_themselves_have_the_variance_of_unweighting():
    """Accepting points with a probability of 0.3, correlated with all of them; fails with a probability of 1e-4."""
    p = []
    for k in range(300):
        points = toy(k, 6000)
        accepted = np.random.default_rng([k, 1]).uniform(size=6000) < 0.3
        events = dataclasses.replace(
            points, momenta=points.momenta[accepted], weight=points.weight[accepted] / 0.3
        )
        p.append(compare(events, points, ENERGY, correlated=True).p_value)
    assert stats.kstest(p, "uniform").pvalue > 1e-4


def test_bins_hold_all_of_both_samples():
    found = compare(toy(1, 2000), toy(2, 6000), ENERGY)
    assert found.value.sum() == pytest.approx(toy(1, 2000).weight.sum())
    assert found.reference.sum() == pytest.approx(toy(2, 6000).weight.sum())
    assert found.n_bins == 25
    assert found.reference.max() < 1.3 * found.reference.min()


def test_observables(momenta):
    found = {o.name: o.values(momenta) for o in observables_of(CARD)}
    assert list(found) == [
        "pt_22_1", "m_22_22", "eta_22_1", "delta_r_22_22", "pt_21_1", "m_22_21", "eta_21_1", "delta_r_22_21", "pt_22_2",
    ]  # fmt: skip
    pt = np.hypot(momenta[..., 1], momenta[..., 2])
    np.testing.assert_allclose(found["pt_22_1"], pt[:, 2:4].max(axis=1))
    np.testing.assert_allclose(found["pt_22_2"], pt[:, 2:4].min(axis=1))
    harder = np.where(pt[:, 2] > pt[:, 3], 2, 3)
    p = momenta[np.arange(len(momenta)), harder]
    np.testing.assert_allclose(np.tanh(found["eta_22_1"]), p[:, 3] / p[:, 0], rtol=1e-9)
    pair = momenta[:, 2] + momenta[:, 3]
    np.testing.assert_allclose(
        found["m_22_22"] ** 2, pair[:, 0] ** 2 - (pair[:, 1:] ** 2).sum(axis=1), rtol=1e-9
    )
    six_legs = observables_of(load_process("gg_to_aagg_lhc13"))
    assert len({o.name for o in six_legs}) == 10


def test_first_of_several_is_the_reference(files, tmp_path, monkeypatch):
    monkeypatch.setattr(figures, "drawn", lambda draw, size: b"-")
    write_report([files["direct"], files["two_stage"]], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("against direct.h5") == 1


def test_rows_of_the_benchmark_join_the_table(tmp_path):
    row = {"process": "a process", "mode": "two_stage", "t_me_ms": 0.5, "epsilon_full": 0.02, "x_max": 1.25}
    path = tmp_path / "f_eff.json"
    path.write_text(json.dumps({"name": "f_eff", "rows": [row | {"x_max_err": 0.03}]}))
    write_report([path], tmp_path / "page.html")
    (found,) = table_of((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert (found["process"], found["x_max"], found["f_eff"]) == ("a process", "1.25", "")
    shown = {cell.key: cell.text for cell in cells(row | {"x_max_err": 0.03})}
    assert (shown["x_max"], shown["t_me_ms"], shown["f_eff"]) == ("1.25(3)", "500", "–")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["no.h5"], "no.h5: no such file; make it with `pyamp unweight`"),
        (["points.h5"], "points.h5: format is 'pyamp dataset'; expected 'pyamp events'"),
        (["two_stage.h5", "--reference", "no.h5"], "no.h5: no such file"),
        (["two_stage.h5", "-o", "no/where.html"], "no does not exist; create it"),
        (["no.json"], "no.json: no record of benchmarks/f_eff.py"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(files, monkeypatch, capsys, arguments, text):
    monkeypatch.chdir(files["direct"].parent)
    monkeypatch.setattr(sys, "argv", ["pyamp", "report", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert (ended.value.code, captured.out) == (2, "")
    assert text in captured.err
    assert len(captured.err.splitlines()) == 1


def test_a_reference_of_another_process_is_refused(files):
    events = Sample.of_events(EventFile.open(files["direct"]), "direct.h5")
    other = dataclasses.replace(events, name="other", process=load_process("gg_to_aagg_1tev"))
    with pytest.raises(
        PyampError, match=r"other: legs .* of direct.h5 expected; give a reference of the same"
    ):
        compare(events, other, ENERGY)
