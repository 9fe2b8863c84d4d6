"""Where the compiled libraries of this installation lie: ``python -m pyamp.paths libpyamp``."""

import sys
from pathlib import Path


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


if __name__ == "__main__":
    print(library(sys.argv[1].removeprefix("lib")))
