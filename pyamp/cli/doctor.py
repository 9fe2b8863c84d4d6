"""``pyamp doctor``: what is installed, and whether it works."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from pyamp.errors import PyampError


class NotInstalledError(Exception):
    """Something optional is not there; the message says how to get it."""


def doctor(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="model files and provider cards to open as well")
    ] = None,
) -> None:
    """Show what is installed and which backends and hosts load, one line each.

    Ends with exit code 1 where something that is installed, configured or named does not work.
    """
    failed = False
    for name, check in _checks(paths or []):
        try:
            status, text = "ok", check()
        except NotInstalledError as missing:
            status, text = "--", str(missing)
        except Exception as error:  # whatever a broken installation raises
            status, text = "FAIL", str(error).splitlines()[0] if str(error) else type(error).__name__
            failed = True
        print(f"{status:4}  {name:18}  {text}")
    if failed:
        raise typer.Exit(1)


def _checks(paths: list[Path]) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "pyamp", _pyamp
    yield "truth", _truth
    yield "LibTorch", _libtorch
    yield "CUDA", _cuda
    yield "UMAMI", _umami
    yield "madspace", _madspace
    yield "BLHA", _blha
    yield "OpenLoops", _openloops
    yield "Sherpa", _sherpa
    yield "Sherpa plugin", _plugin
    for path in paths:
        yield path.name, lambda path=path: _opened(path)  # type: ignore[misc]


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        raise NotInstalledError(f"not installed; pip install {package}") from None


def _pyamp() -> str:
    from pyamp.paths import library

    core = library("pyamp")
    return f"{_version('pyamp')}, Python {platform.python_version()}, {core}"


def _truth() -> str:
    from pyamp.phase_space import PhaseSpace
    from pyamp.truth import truth

    point = PhaseSpace("gg_to_aag_1tev").sample(1, seed=1).momenta[0]
    _, accuracy = truth("gg_to_aag").me2(point, return_accuracy=True)
    if not accuracy < 1e-9:
        raise PyampError(f"gg_to_aag has the accuracy {accuracy:.1g} at an ordinary point, 1e-13 expected")
    return f"gg_to_aag, gg_to_aagg built in; accuracy {accuracy:.1g} at one point"


def _libtorch() -> str:
    import ctypes

    import torch

    from pyamp.paths import library

    ctypes.CDLL(str(library("pyamp_torch")))
    return f"Torch {torch.__version__}, backend loads"


def _cuda() -> str:
    import torch

    if not torch.cuda.is_available():
        raise NotInstalledError("no CUDA device")
    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"


def _umami() -> str:
    import ctypes

    from pyamp.hosts import umami_library

    library, result = ctypes.CDLL(umami_library()), ctypes.c_int(-1)
    if library.umami_get_meta(0, ctypes.byref(result)) != 0 or result.value != 0:
        raise PyampError(f"{umami_library()}: device {result.value} found, 0 (CPU) expected")
    return f"{umami_library()}, device CPU"


def _madspace() -> str:
    version = _version("madspace")
    import madspace

    from pyamp.hosts import provider_card, umami_library

    card = provider_card("gg_to_aag")
    try:
        api = madspace.Context(1).load_matrix_element(umami_library(), card)
        return f"{version}, loads gg_to_aag with {api.particle_count()} legs"
    finally:
        Path(card).unlink()


def _blha() -> str:
    from pyamp.hosts import olp_library
    from pyamp.truth import truth

    server = truth(f"blha:{olp_library()}", process="21 21 -> 22 22 21")
    return f"client, worker process and server agree: {server.version}"


def _openloops() -> str:
    import os

    folder = os.environ.get("OpenLoopsPath")  # noqa: SIM112 (OpenLoops' own spelling)
    if not folder:
        raise NotInstalledError("$OpenLoopsPath is not set")
    if not (Path(folder) / "proclib").is_dir():
        raise PyampError(f"OpenLoopsPath={folder}: no folder proclib found there")
    return folder


def _sherpa() -> str:
    import os
    import subprocess

    from pyamp.sherpa import find_sherpa

    try:
        folder = find_sherpa()
    except PyampError as error:
        if os.environ.get("SHERPA_DIR"):
            raise
        raise NotInstalledError(str(error)) from None
    command = [str(folder / "bin" / "Sherpa"), "--version"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout
    if not said.startswith("Sherpa version"):
        raise PyampError(f"{command[0]} --version: no version found in its answer; it does not run here")
    return f"{said.splitlines()[0].removeprefix('Sherpa version ')}, {folder}"


def _plugin() -> str:
    import os

    from pyamp.sherpa import plugin_path

    try:
        return str(plugin_path())
    except PyampError as error:
        if os.environ.get("PYAMP_SHERPA_PLUGIN"):
            raise
        raise NotInstalledError(str(error)) from None


def _opened(path: Path) -> str:
    if path.suffix != ".safetensors":
        from pyamp.hosts import read_provider_card

        source = read_provider_card(path)["source"]
        if not source.endswith(".safetensors"):
            from pyamp.truth import truth

            opened = truth(str(path))
            return f"{opened.process}, {opened.version}"
        path = Path(source)
    from pyamp.evaluator import Evaluator

    evaluator = Evaluator(path)
    return f"{evaluator.process['name']}, {evaluator.backend}, self-test agrees"
