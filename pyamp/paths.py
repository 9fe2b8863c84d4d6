"""Where the compiled libraries of this installation lie, and its tools: ``python -m pyamp.paths libpyamp``."""

import shutil
import sys
from pathlib import Path

from pyamp.errors import PyampError


def library(name: str) -> Path:
    """Path of ``lib<name>.so``, which is installed beside the compiled module.

    Parameters
    ----------
    name : str
        ``"pyamp"`` (no Torch), ``"pyamp_torch"`` (LibTorch backend and Torch operators), ``"pyamp_olp"`` (BLHA server),
        ``"pyamp_cuda"`` or ``"pyamp_umami_cuda"``, the last two where pyamp was built with nvcc.
    """
    from pyamp import _core

    return Path(_core.__file__).parent / "lib" / f"lib{name}.so"


def tool(name: str) -> str:
    """Path of ``cmake`` or ``ninja``: those of this environment, else of the system.

    Raises
    ------
    PyampError
        There is none.
    """
    beside = Path(sys.prefix) / "bin" / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if not found:
        raise PyampError(f"sherpa: {name} not found, which compiles the code of AMEGIC; pip install {name}")
    return found


if __name__ == "__main__":
    print(library(sys.argv[1].removeprefix("lib")))
