"""Is a process of AMEGIC compiled once, within its time, and never taken when it is half done?

A script stands in for Sherpa: it writes sources as AMEGIC does, hangs, fails or dies. CMake, Ninja and the compiler are
the real ones, unless a script stands in for the compiler.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyamp.errors import PyampError
from pyamp.sherpa_tree_level import cached_processes, open_tree_level

PROCESS = "sherpa:21 21 -> 1 -1"
WRITES = """
mkdir -p Process/Amegic/P2_2/2_2__G__G__d__db
echo 'extern "C" int answer() { return 42; }' > Process/Amegic/P2_2/2_2__G__G__d__db/V.C
"""
PREPARE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # shells mask it in the background
    f"from pyamp.sherpa_tree_level import open_tree_level; open_tree_level({PROCESS!r})"
)


@dataclass
class StandIn:
    folder: Path

    def does(self, script: str) -> None:
        """Notes its process number, its start and its end around the script."""
        sherpa = self.folder / "bin" / "Sherpa"
        sherpa.write_text(
            f"#!/bin/sh\necho start $$ >> {self.notes}\n{script}\necho end $$ >> {self.notes}\n"
        )
        sherpa.chmod(sherpa.stat().st_mode | stat.S_IXUSR)

    @property
    def notes(self) -> Path:
        return self.folder / "notes"

    def wait_for_start(self, n: int = 1) -> int:
        """Its process number, once it was started for the n-th time."""
        for _ in range(600):
            starts = [line for line in self.lines() if line.startswith("start")]
            if len(starts) >= n:
                return int(starts[n - 1].split()[1])
            time.sleep(0.05)
        raise AssertionError("the script was not started")

    def lines(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []


@pytest.fixture
def sherpa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    folder = tmp_path / "sherpa"
    share = folder / "share" / "SHERPA-MC"
    for one in (folder / "bin", share, tmp_path / "plugin"):
        one.mkdir(parents=True)
    (share / "SHERPA-MCConfig.cmake").write_text(
        "SET(SHERPA-MC_VERSION 3.0.3)\nfunction(amegic_handle_shared_library target)\nendfunction()\n"
    )
    for name in ("libSherpaPyAmp.so", "libpyamp_sherpa.so"):
        (tmp_path / "plugin" / name).touch()
    monkeypatch.setenv("SHERPA_DIR", str(folder))
    monkeypatch.setenv("PYAMP_SHERPA_PLUGIN", str(tmp_path / "plugin" / "libSherpaPyAmp.so"))
    monkeypatch.setenv("PYAMP_CACHE", str(tmp_path / "cache"))
    return StandIn(folder)


@pytest.fixture
def slow_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that hangs where it is to compile AMEGIC's file; the file with its process number."""
    compiler, number = tmp_path / "slow-c++", tmp_path / "compiler-number"
    compiler.write_text(
        f'#!/bin/sh\ncase "$*" in *V.C) echo $$ > {number}; exec sleep 600;; esac\nexec c++ "$@"\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    return number


def is_alive(number: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def ends(number: int, within_s: float = 10.0) -> bool:
    """Whether a process that was told to end does so, on a machine that may be busy."""
    end = time.monotonic() + within_s
    while is_alive(number) and time.monotonic() < end:
        time.sleep(0.1)
    return not is_alive(number)


def libraries(sherpa: StandIn) -> list[Path]:
    return list(
        (sherpa.folder.parent / "cache").glob("sherpa-3.0.3/Amegic_*/Process/Amegic/lib/libProc_P2_2.so")
    )


def assert_unfinished(sherpa: StandIn) -> None:
    """Nothing is taken for good, and the next call starts afresh and succeeds."""
    assert cached_processes("Amegic")[0] == []
    sherpa.does(WRITES)
    open_tree_level(PROCESS)
    assert len(cached_processes("Amegic")[0]) == len(libraries(sherpa)) == 1


def test_compiled_once(sherpa: StandIn, capfd: pytest.CaptureFixture[str]) -> None:
    sherpa.does(WRITES)
    open_tree_level(PROCESS)
    assert capfd.readouterr().err.startswith(
        "pyamp: AMEGIC writes and compiles 21 21 -> 1 -1, once; kept in "
    )
    open_tree_level(PROCESS)
    assert capfd.readouterr().err == ""
    assert len(sherpa.lines()) == 2
    assert len(libraries(sherpa)) == 1


def test_writing_that_hangs_is_stopped(sherpa: StandIn) -> None:
    sherpa.does(f"{WRITES}sleep 600")
    with pytest.raises(PyampError) as error:
        open_tree_level(PROCESS, write_timeout_s=1)
    message = str(error.value)
    assert "AMEGIC still wrote code for '21 21 -> 1 -1' after 1 s, 1 files, and was stopped" in message
    assert "write_timeout_s" in message
    assert ends(sherpa.wait_for_start())
    assert_unfinished(sherpa)


def test_a_sherpa_that_does_not_want_to_end(sherpa: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyamp.amegic._GRACE_S", 0.5)
    sherpa.does("trap '' TERM INT\nsleep 600")
    with pytest.raises(PyampError, match="AMEGIC still wrote code"):
        open_tree_level(PROCESS, write_timeout_s=1)
    assert ends(sherpa.wait_for_start())


def test_compilation_that_hangs_is_stopped(
    sherpa: StandIn, slow_compiler: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sherpa.does(WRITES)
    with pytest.raises(PyampError, match=r"not compiled after 8 s, \d of .* larger compile_timeout_s"):
        open_tree_level(PROCESS, compile_timeout_s=8)
    assert ends(int(slow_compiler.read_text()))
    monkeypatch.delenv("CXX")
    assert_unfinished(sherpa)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("exit 3", r"AMEGIC wrote no code for '21 21 -> 1 -1' \(exit code 3\); .*sherpa\.log says why"),
        ("true", r"AMEGIC wrote no code for '21 21 -> 1 -1' \(exit code 0\)"),
        (f"{WRITES}kill -9 $$", r"AMEGIC wrote no code for '21 21 -> 1 -1' \(killed by signal 9\)"),
        (
            f"{WRITES}echo 'int broken(' > Process/Amegic/P2_2/2_2__G__G__d__db/W.C",
            r"did not compile; see .*compilation\.log",
        ),
    ],
)
def test_failures(sherpa: StandIn, script: str, complaint: str) -> None:
    sherpa.does(script)
    with pytest.raises(PyampError, match=complaint):
        open_tree_level(PROCESS)
    assert_unfinished(sherpa)


def test_an_interrupt_ends_everything(sherpa: StandIn) -> None:
    sherpa.does(f"{WRITES}sleep 600")
    with subprocess.Popen([sys.executable, "-c", PREPARE], stderr=subprocess.PIPE, text=True) as caller:
        number = sherpa.wait_for_start()
        caller.send_signal(signal.SIGINT)
        _, said = caller.communicate(timeout=30)
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    assert ends(number)
    assert_unfinished(sherpa)


def test_two_at_a_time_compile_once(sherpa: StandIn) -> None:
    sherpa.does(f"sleep 2\n{WRITES}")
    callers = [
        subprocess.Popen([sys.executable, "-c", PREPARE], stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    said = "".join(caller.communicate(timeout=120)[1] for caller in callers)
    assert [caller.returncode for caller in callers] == [0, 0]
    assert said.count("AMEGIC writes and compiles") == 1
    assert said.count("waits for another process that prepares") == 1
    assert len(sherpa.lines()) == 2
    assert len(libraries(sherpa)) == 1


def test_a_killed_caller_leaves_the_folder_locked_until_its_sherpa_has_ended(sherpa: StandIn) -> None:
    sherpa.does(f"sleep 3\n{WRITES}")
    with subprocess.Popen([sys.executable, "-c", PREPARE]) as caller:
        orphan = sherpa.wait_for_start()
        caller.kill()
    assert is_alive(orphan)
    open_tree_level(PROCESS)
    assert [line.split()[0] for line in sherpa.lines()] == ["start", "end", "start", "end"]
    assert len(libraries(sherpa)) == 1
    assert len(cached_processes("Amegic")[0]) == 1


def test_waiting_has_an_end(sherpa: StandIn) -> None:
    sherpa.does("sleep 600")
    with subprocess.Popen([sys.executable, "-c", PREPARE]) as caller:
        orphan = sherpa.wait_for_start()
        with pytest.raises(PyampError, match="another process has prepared it for 2 s and holds its lock"):
            open_tree_level(PROCESS, write_timeout_s=1, compile_timeout_s=1)
        caller.kill()
    os.killpg(orphan, signal.SIGKILL)


@pytest.mark.parametrize("option", [{"write_timeout_s": 0}, {"compile_timeout_s": "long"}, {"jobs": -1}])
def test_limits_are_positive_numbers(sherpa: StandIn, option: dict[str, object]) -> None:
    ((name, value),) = option.items()
    with pytest.raises(PyampError, match=f"sherpa: {name} is {value!r}, a positive number expected"):
        open_tree_level(PROCESS, **option)  # type: ignore[arg-type]


def test_progress_without_a_terminal(
    sherpa: StandIn, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pyamp.amegic._REPORT_S", 0.3)
    sherpa.does(f"{WRITES}sleep 1")
    open_tree_level(PROCESS)
    lines = capfd.readouterr().err.splitlines()
    assert "pyamp: AMEGIC writes code: 1 files, 0 s" in lines
