"""Does ``pyamp unweight`` write what it says, resume after any interruption, and refuse bad input in one line?"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np
import pytest

from pyamp.cli import main
from pyamp.datasets import generate
from pyamp.datasets.storage import file_sha256
from pyamp.errors import PyampError
from pyamp.processes import Energy, load_process
from pyamp.unweighting import EventFile, MaximumRule, UnweightingSettings, generate_events
from pyamp.unweighting.stream import Unweighter
from tests.python.test_unweight_stream import MODEL, MODELS, write_part

OTHER = str(MODELS / "gg_to_aagg_lhc13.safetensors")  # of another process
LARGE = str(MODELS / "v1" / "gg_to_aag_ensemble_float32.safetensors")

OPTIONS = ("--pilot", "100", "--s-max", "budget:0.03")
SETTINGS = UnweightingSettings(pilot=100, s_max=MaximumRule("budget", 0.03))


@dataclass
class Done:
    """A finished command."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run_cli(monkeypatch, capsys):
    """The command line in this process, which has imported everything already."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["pyamp", "unweight", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    card = load_process("gg_to_aag_1tev").model_copy(update={"energy": Energy(sqrt_s_hat=200)})
    path = tmp_path_factory.mktemp("points") / "points.h5"
    generate(card, 6000, path, seed=5)
    return path


def same_events(one, other):
    """All of it but the times."""
    for name in ("momenta", "weight", "index"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    infos = [{k: v for k, v in asdict(e.info).items() if not k.startswith("t_")} for e in (one, other)]
    for key, value in infos[0].items():
        if key.startswith("direct"):
            assert value == pytest.approx(infos[1][key], rel=1e-12)
        else:
            np.testing.assert_equal(value, infos[1][key])


@pytest.mark.parametrize(
    ("mode", "words"),
    [("two_stage", "x_max"), ("roulette", "κ, p_min"), ("direct", "w_max")],
)
def test_writes_events_and_a_summary(run_cli, dataset, tmp_path, mode, words):
    output = tmp_path / "events.h5"
    arguments = (MODEL, dataset, "-o", output, "--mode", mode, *OPTIONS, "--n-eff", 0.9)
    done = run_cli(*arguments)
    assert done.returncode == 0, done.stderr
    events = EventFile.open(output)
    cross_section, error = events.info.cross_section()
    direct, _ = events.info.direct_cross_section()
    assert abs(cross_section - direct) < 4 * error
    assert f"{output}: {len(events)} events of gg_to_aag_1tev, {mode}" in done.stdout
    for text in (f"{cross_section:.5g} ±", f"{direct:.5g} ±", words, f"{events.info.n_eff_over_n:.4f}"):
        assert text in done.stdout
    assert events.info.mode == mode
    assert events.info.n_points + events.info.n_pilot_points == 6000
    assert events.info.t_me > events.info.t_ps > 0
    assert not (tmp_path / "events.h5.part").exists()
    # The same again is there already; other settings are refused.
    again = run_cli(*arguments)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    refused = run_cli(*arguments, "--seed", 2)
    assert refused.returncode == 2
    assert "exists and is something else (seed is 1, 2 wanted); remove it" in refused.stderr


def test_new_points_of_the_domain_of_the_model(run_cli, tmp_path):
    """Hadron beams, so without parton densities, which is said."""
    output = tmp_path / "events.h5"
    done = run_cli(MODEL, "-o", output, "--events", 20, "--pilot", 100, "--s-max", "budget:0.3", "--mode", "roulette",
                   "--kappa", 2, "--p-min", 0.1)  # fmt: skip
    assert done.returncode == 0, done.stderr
    info = EventFile.open(output).info
    assert (info.n_events, info.kappa, info.p_min) == (20, 2.0, 0.1)
    assert info.process.energy.sqrt_s == 13000
    assert "without parton densities" in done.stdout


def test_other_truths(run_cli, dataset, tmp_path):
    """--truth in the place of the amplitudes of the dataset: the same numbers, but evaluated and timed."""
    done = run_cli(
        MODEL, dataset, "-o", tmp_path / "a.h5", *OPTIONS, "--truth", "gg_to_aag", "--points", 1000
    )
    assert done.returncode == 0, done.stderr
    assert EventFile.open(tmp_path / "a.h5").info.direct_cross_section() is None
    assert "truth evaluated" in done.stdout


def test_a_screen_is_shown_and_stored(run_cli, dataset, tmp_path):
    """And a file that is there already belongs to its screen and rule."""
    output = tmp_path / "events.h5"
    arguments = (LARGE, dataset, "-o", output, *OPTIONS, "--screen", MODEL)
    done = run_cli(*arguments, "--y-max", "budget:1e-4")
    assert done.returncode == 0, done.stderr
    info = EventFile.open(output).info
    assert (info.screen, info.screen_sha256) == (MODEL, file_sha256(MODEL))
    assert 0 < info.n_surrogate < 0.5 * info.n_points
    assert 0.9 < info.y_max < 1.5
    for text in (
        MODEL[-20:],
        f"{info.y_max:.4f} ±",
        f"{info.n_surrogate}, {info.surrogate_share:.2%} of the points",
    ):
        assert text in done.stdout
    refused = run_cli(*arguments)
    assert refused.returncode == 2
    assert "something else (y_max is 'budget:0.0001', 'budget:0.001' wanted)" in refused.stderr
    refused = run_cli(LARGE, dataset, "-o", output, *OPTIONS)
    assert refused.returncode == 2
    assert "something else (screen is" in refused.stderr


SLOW = """
import sys, time
from pyamp.unweighting import MaximumRule, UnweightingSettings, generate_events
from pyamp.unweighting.stream import Unweighter
feed = Unweighter.feed
def slowly(*arguments):
    time.sleep(0.05)
    return feed(*arguments)
Unweighter.feed = slowly
settings = UnweightingSettings(pilot=100, s_max=MaximumRule("budget", 0.03))
generate_events(sys.argv[1], sys.argv[2], settings, datasets=[sys.argv[3]], block_size=50, seconds_per_part=0.0)
"""


def test_resumes_after_sigkill(dataset, tmp_path):
    output = tmp_path / "killed.h5"
    run = subprocess.Popen([sys.executable, "-c", SLOW, MODEL, str(output), str(dataset)])
    deadline = time.monotonic() + 120
    while not (tmp_path / "killed.h5.part" / "shard-000003.h5").exists():
        assert run.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert not output.exists()
    with pytest.raises(PyampError, match=r"it was interrupted: killed.h5.part holds what is done"):
        EventFile.open(output)
    with pytest.raises(
        PyampError, match=r"killed.h5.part: holds shards of another run \(mode is 'two_stage', 'direct'"
    ):
        generate_events(MODEL, output, UnweightingSettings("direct"), datasets=[dataset])
    assert len(list((tmp_path / "killed.h5.part").glob("shard-*.h5"))) < 60  # it was killed on the way
    resumed = generate_events(MODEL, output, SETTINGS, datasets=[dataset])
    whole = generate_events(MODEL, tmp_path / "whole.h5", SETTINGS, datasets=[dataset])
    same_events(resumed, whole)
    assert not (tmp_path / "killed.h5.part").exists()


def test_resumes_after_an_interrupt(run_cli, dataset, tmp_path, monkeypatch):
    """What was done before is not done again, even if no time to write it had come yet."""
    arguments = (MODEL, dataset, "-o", tmp_path / "events.h5", *OPTIONS, "--block-size", 400)
    feed, starts = Unweighter.feed, []

    def interrupted(self, block, most_events=None):
        if len(starts) == 3:
            raise KeyboardInterrupt
        starts.append(block.start)
        return feed(self, block, most_events)

    monkeypatch.setattr(Unweighter, "feed", interrupted)
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout) == (130, "")
    assert "interrupted; the same command resumes" in done.stderr
    assert not (tmp_path / "events.h5").exists()

    def resumed(self, block, most_events=None):
        starts.append(block.start)
        return feed(self, block, most_events)

    monkeypatch.setattr(Unweighter, "feed", resumed)
    assert run_cli(*arguments).returncode == 0
    assert starts == sorted(set(starts))
    whole = generate_events(MODEL, tmp_path / "whole.h5", SETTINGS, datasets=[dataset])
    same_events(EventFile.open(tmp_path / "events.h5"), whole)


def test_a_damaged_part_is_made_again(dataset, tmp_path, monkeypatch):
    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("pyamp.unweighting.run._merge", stopped)
    with pytest.raises(KeyboardInterrupt):
        generate_events(
            MODEL, tmp_path / "events.h5", SETTINGS, datasets=[dataset], block_size=700, seconds_per_part=0.0
        )
    part = tmp_path / "events.h5.part" / "shard-000002.h5"
    part.write_bytes(part.read_bytes()[:-10])
    monkeypatch.undo()
    # In one part, so that those beyond the damaged one would come twice if they were still believed.
    found = generate_events(MODEL, tmp_path / "events.h5", SETTINGS, datasets=[dataset])
    same_events(found, generate_events(MODEL, tmp_path / "whole.h5", SETTINGS, datasets=[dataset]))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["no.safetensors", "POINTS"], "no.safetensors"),
        ([MODEL, "no.h5"], "no.h5: no such file; make it with `pyamp generate`"),
        ([MODEL], "phase space does not end; give a number of points or of events"),
        ([MODEL, "POINTS", "--mode", "roulete"], "mode is 'roulete'; did you mean 'roulette'?"),
        ([MODEL, "POINTS", "--s-max", "bugdet:1"], "rule 'bugdet' found; did you mean 'budget'?"),
        ([MODEL, "POINTS", "--x-max", "budget:2"], "budget of 2; expected a share between 0 and 1"),
        ([MODEL, "POINTS", "--mode", "roulette", "--kappa", "1"], "--kappa and --p-min: one of them found"),
        ([MODEL, "POINTS", "--kappa", "1", "--p-min", "1"], "have no meaning without --mode roulette"),
        ([MODEL, "POINTS", "--mode", "roulette", "--n-eff", "2"], "n_eff is 2.0; expected a share"),
        ([MODEL, "POINTS", "--mode", "roulette", "--n-eff", "1"], "N_eff/N = 1 cannot be kept"),
        ([MODEL, "POINTS", "--pilot", "3"], "pilot is 3; expected 100 events or more"),
        ([MODEL, "POINTS", "--events", "0"], "events is 0; expected at least 1"),
        ([MODEL, "POINTS", "--seed", "-1"], "seed is -1; expected an integer from 0"),
        ([MODEL, "POINTS", "--process", "gg_to_aag_1tev"], "a card is named beside datasets"),
        ([MODEL, "POINTS", "--truth", "gg_to_aagg"], "truth gg_to_aagg: legs"),
        ([MODEL, "--process", "gg_to_aagg_1tev", "--events", "3"], "gg_to_aagg_1tev: legs"),
        ([MODEL, "POINTS", "--y-max", "largest"], "--y-max: has no meaning without --screen"),
        (
            [MODEL, "POINTS", "--screen", MODEL, "--y-max", "larges"],
            "rule 'larges' found; did you mean 'largest'?",
        ),
        ([MODEL, "POINTS", "--screen", MODEL, "--mode", "direct"], "mode direct has no surrogate; drop one"),
        ([MODEL, "POINTS", "--screen", "no.safetensors"], "no.safetensors"),
        ([MODEL, "POINTS", "--screen", OTHER], "legs [21, 21, 22, 22, 21, 21] found, but"),
        ([MODEL, "POINTS", "-o", "no/where.h5"], "no does not exist; create it"),
        ([MODEL, "POINTS", "-o", "taken.h5"], "taken.h5: no readable file of events"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run_cli, dataset, tmp_path, monkeypatch, arguments, text):
    arguments = [dataset if a == "POINTS" else a for a in arguments]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken.h5").write_text("something else")
    done = run_cli(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "events.h5").exists()


def test_too_few_points(run_cli, dataset, tmp_path):
    """And what could not begin is in the way of nothing."""
    few = write_part(dataset, tmp_path / "few.h5", 0, 600)
    done = run_cli(MODEL, few, "-o", tmp_path / "e.h5", "--s-max", "largest")
    assert done.returncode == 2
    assert "pilot: 300 points give" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [few]


def test_help_teaches(run_cli):
    text = run_cli("--help").stdout
    for word in (
        "two_stage",
        "roulette",
        "budget:1e-3",
        "quantile",
        "resumes",
        "Example: pyamp unweight",
        "x = 1",
        "--screen SMALL",
    ):
        assert word in text
