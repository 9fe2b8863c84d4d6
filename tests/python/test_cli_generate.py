"""Does ``pyamp generate`` make a dataset, say what it did, and refuse bad input with one line and exit code 2?"""

import subprocess
import sys

import pytest

from pyamp.datasets import Dataset


def pyamp(*arguments, **options):
    command = [sys.executable, "-m", "pyamp.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_generates_and_reports(tmp_path):
    output = tmp_path / "aag.h5"
    first = pyamp("generate", "gg_to_aag_1tev", "-n", 500, "-o", output, "--seed", 7, "-j", 2)
    assert first.returncode == 0, first.stderr
    dataset = Dataset.open(output)
    assert len(dataset) == 500
    assert dataset.info.seed == 7
    assert f"{output}: 500 points of gg_to_aag_1tev from {dataset.info.n_trials} trials" in first.stdout
    assert "√ŝ from 1000 to 1000 GeV" in first.stdout
    assert "0 points failed" in first.stdout
    again = pyamp("generate", "gg_to_aag_1tev", "-n", 500, "-o", output, "--seed", 7)
    assert (again.returncode, again.stdout) == (0, first.stdout)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["gg_to_aag"], "unknown process 'gg_to_aag'; did you mean 'gg_to_aag_"),
        (["card.yaml"], "card.yaml: cannot read: No such file or directory"),
        (["gg_to_aag_1tev", "-n", "0"], "n_points is 0; expected at least 1"),
        (["gg_to_aag_1tev", "-o", "no/where.h5"], "no does not exist; create it"),
        (["gg_to_aag_1tev", "-o", "taken.h5"], "taken.h5: not a readable HDF5 file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(tmp_path, arguments, text):
    (tmp_path / "taken.h5").write_text("something else")
    result = pyamp("generate", *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert text in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_help_teaches():
    text = pyamp("generate", "--help").stdout
    for word in ("gg_to_aag_lhc13", "resumes", "--workers", "Example: pyamp generate"):
        assert word in text
