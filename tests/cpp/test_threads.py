"""A shared model in sixteen threads under ThreadSanitizer."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nlohmann_json
import numpy as np
import pytest

from pyamp._core import amx_obstacle
from tests.handmade_models import make_model, write_model

SOURCES = Path(__file__).parents[2] / "csrc"
FOLDERS = ("kinematics", "model_file", "simd", "surrogate", "surrogate/fused")
COMPILER = shutil.which("g++") or "c++"
FLAGS = ["-std=c++20", "-O1", "-g1", "-fsanitize=thread", "-ffp-contract=off", f"-I{SOURCES}"]
# Those of csrc/CMakeLists.txt.
INSTRUCTION_SETS = {"baseline": ["-DPYAMP_SIMD_BYTES=16"]}
if platform.machine() == "x86_64":
    INSTRUCTION_SETS |= {
        "avx2": ["-DPYAMP_SIMD_BYTES=32", "-mavx2", "-mfma"],
        "avx512": ["-DPYAMP_SIMD_BYTES=64", "-mavx512f", "-mavx512dq", "-mfma"],
    }
AMX = ["-DPYAMP_SIMD_BYTES=64", "-mavx512f", "-mavx512dq", "-mfma", "-mamx-tile", "-mamx-bf16"]


def knows_amx() -> bool:
    if platform.machine() != "x86_64":
        return False
    return (
        subprocess.run(
            [COMPILER, *AMX, "-E", "-x", "c++", os.devnull], capture_output=True, check=False
        ).returncode
        == 0
    )


def compilations() -> list[list[str]]:
    """Arguments of each: the evaluator without amplitudes and Torch, and the program."""
    json = Path(nlohmann_json.__file__).parent / "include"
    sources = [source for folder in FOLDERS for source in sorted((SOURCES / folder).glob("*.cpp"))]
    kernels = [source for source in sources if source.name.endswith("_kernel.cpp")]
    plain = [source for source in sources if source not in kernels]
    tiles = SOURCES / "surrogate/amx"
    plain += sorted(set(tiles.glob("*.cpp")) - {tiles / "tile_kernel.cpp"})
    of_tiles = [["-DPYAMP_ISA=amx", *AMX, str(tiles / "tile_kernel.cpp")]] if knows_amx() else []
    defines = ["-DPYAMP_WITH_AMX"] if of_tiles else []
    return [
        *of_tiles,
        *(
            [f"-isystem{json}", *defines, str(source)]
            for source in [*plain, Path(__file__).with_name("threads.cpp")]
        ),
        *(
            [f"-DPYAMP_ISA={name}", *options, str(source)]
            for name, options in INSTRUCTION_SETS.items()
            for source in kernels
        ),
    ]


def run(*command: str | Path, **environment: str) -> None:
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr + done.stdout


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("threads")
    commands = [
        [COMPILER, *FLAGS, *arguments, "-c", "-o", str(folder / f"{k}.o")]
        for k, arguments in enumerate(compilations())
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda command: run(*command), commands))
    run(COMPILER, "-fsanitize=thread", *folder.glob("*.o"), "-ldl", "-o", folder / "threads")
    return folder / "threads"


@pytest.mark.parametrize(
    ("backend", "dtype"), [("fused", "float32"), ("fused", "float64"), ("amx", "float32")], ids=str
)
@pytest.mark.parametrize("posterior", ["deterministic", "ensemble"])
def test_no_data_race(
    program: Path, tmp_path: Path, momenta: np.ndarray, posterior: str, backend: str, dtype: str
) -> None:
    if backend == "amx" and (obstacle := amx_obstacle()):
        pytest.skip(obstacle)
    path = tmp_path / "m.safetensors"
    header, tensors = make_model(
        momenta, representation="ordered", posterior=posterior, members=16, dtype=dtype, sigma_network=True
    )
    run(program, write_model(path, header, tensors, momenta), backend, TSAN_OPTIONS="halt_on_error=1")
