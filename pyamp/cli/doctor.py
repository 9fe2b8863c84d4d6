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
    yield "AMX", _amx
    yield "CUDA", _cuda
    yield "UMAMI", _umami
    yield "UMAMI on a GPU", _umami_on_a_gpu
    yield "madspace", _madspace
    yield "BLHA", _blha
    yield "OpenLoops", _openloops
    yield "Sherpa", _sherpa
    yield "Sherpa plugin", _plugin
    yield "Sherpa tree level", _tree_level
    yield "AMEGIC", _amegic
    yield "LHE files", lambda: f"pylhe {_version('pylhe')}"
    yield "HepMC files", lambda: f"pyhepmc {_version('pyhepmc')}"
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
    return f"gg_to_aag, gg_to_aagg and tree: built in; accuracy {accuracy:.1g} at one point"


def _libtorch() -> str:
    import ctypes

    import torch

    from pyamp.paths import library

    ctypes.CDLL(str(library("pyamp_torch")))
    return f"Torch {torch.__version__}, backend loads"


def _amx() -> str:
    from pyamp._core import amx_obstacle

    if obstacle := amx_obstacle():
        raise NotInstalledError(obstacle)
    return "tiles of bfloat16, backend 'amx'"


def _cuda() -> str:
    import torch

    if not torch.cuda.is_available():
        raise NotInstalledError("no CUDA device")
    return f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"


def _umami() -> str:
    from pyamp.hosts import umami_library

    return _serves(umami_library(), "CPU")


def _umami_on_a_gpu() -> str:
    from pyamp.hosts import umami_library
    from pyamp.paths import library

    if not library("pyamp_umami_cuda").is_file():
        raise NotInstalledError("pyamp was built without nvcc")
    text = _serves(umami_library(device="cuda"), "CUDA")
    import torch

    if not torch.cuda.is_available():
        raise NotInstalledError(f"{text}; no CUDA device here")
    return text


def _serves(path: str, device: str) -> str:
    """What a UMAMI library says of itself."""
    import ctypes

    library, result = ctypes.CDLL(path), ctypes.c_int(-1)
    key = ("CPU", "CUDA").index(device)
    if library.umami_get_meta(0, ctypes.byref(result)) != 0 or result.value != key:
        raise PyampError(f"{path}: device {result.value} found, {key} ({device}) expected")
    return f"{path}, device {device}"


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


def _tree_level() -> str:
    """That Comix, which compiles nothing, gives the photon's part of e⁺e⁻ → dd̄, which is known on paper."""
    import math

    import numpy as np

    from pyamp.sherpa import find_sherpa
    from pyamp.sherpa_tree_level import provider_library
    from pyamp.truth import truth

    try:
        library = provider_library()
    except PyampError as error:
        raise NotInstalledError(str(error)) from None
    bound, sherpa = _bound_to(library), find_sherpa()
    if sherpa not in bound.parents:
        raise PyampError(
            f"{library}: bound to {bound}, {sherpa} is in use; `make build SHERPA_DIR={sherpa}` binds it again"
        )
    no_z = {"PARTICLE_DATA": {23: {"Active": 0}}}
    comix = truth("sherpa:11 -11 -> 1 -1", generator="Comix", settings=no_z)
    point = np.array([[1, 0, 0, 1], [1, 0, 0, -1], [1, 0.6, 0, 0.8], [1, -0.6, 0, -0.8]]) * 50.0
    found, expected = float(comix.stripped(point)), (4 * math.pi) ** 2 * (1 + 0.8**2) / 3
    if not abs(found / expected - 1) < 1e-9:
        raise PyampError(f"{comix.version}: e- e+ -> d d~ gives {found:.10g}, {expected:.10g} expected")
    return f"{comix.version} agrees at one point, bound to {sherpa}"


def _bound_to(library: Path) -> Path:
    """Where the loader finds the Sherpa of a library."""
    import re
    import subprocess

    said = subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=False).stdout
    if missing := re.search(r"(lib\S+) => not found", said):
        raise PyampError(f"{library}: {missing[1]} not found; `make build` builds it for the Sherpa in use")
    main = re.search(r"libSherpaMain\S* => (\S+)", said)
    if not main:
        raise PyampError(f"{library}: ldd names no libSherpaMain; `make build` builds it again")
    return Path(main[1]).resolve()


def _amegic() -> str:
    import os
    import shutil

    from pyamp.paths import tool
    from pyamp.sherpa_tree_level import cache_folder, cached_processes

    try:
        tools = [tool("cmake"), tool("ninja")]
    except PyampError as error:
        raise NotInstalledError(str(error)) from None
    named = os.environ.get("CXX") or "c++"
    compiler = shutil.which(named)
    if not compiler:
        raise NotInstalledError(f"no C++ compiler: {named} is not on the PATH; $CXX names another")
    ready, unfinished = cached_processes("Amegic")
    left = f", {len(unfinished)} unfinished" if unfinished else ""
    names = f" ({', '.join(name.removeprefix('Amegic_') for name in ready)})" if ready else ""
    return f"{', '.join([compiler, *tools])}; {len(ready)} compiled{names}{left} in {cache_folder()}"


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
