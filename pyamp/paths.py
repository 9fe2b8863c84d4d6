"""Where the compiled libraries of this installation lie: ``python -m pyamp.paths libpyamp``."""

import sys
from pathlib import Path


def library(name: str) -> Path:
    """Path of ``lib<name>.so``, which is installed beside the compiled module.

    Parameters
    ----------
    name : str
        ``"pyamp"`` (no Torch) or ``"pyamp_torch"`` (LibTorch backend and Torch operators).
    """
    from pyamp import _core

    return Path(_core.__file__).parent / "lib" / f"lib{name}.so"


if __name__ == "__main__":
    print(library(sys.argv[1].removeprefix("lib")))
