"""What other generators need of pyamp: the libraries they open, and provider cards, which name what to evaluate."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from pyamp import _core
from pyamp.configuration import read_yaml
from pyamp.errors import PyampError
from pyamp.sherpa_tree_level import PREFIX, open_tree_level

__all__ = ["TREE", "olp_library", "provider_card", "read_provider_card", "umami_library"]

TREE = "tree:"


def umami_library(device: str = "cpu") -> str:
    """Path of the library that UMAMI hosts (madspace, MadGraph7) open; see ``docs/hosts.md``.

    Parameters
    ----------
    device : {"cpu", "cuda"}
        Where the host has the momenta: ``"cuda"`` for a context on a GPU.

    Returns
    -------
    str
        ``libpyamp.so`` or ``libpyamp_umami_cuda.so``. The path given to ``umami_initialize`` is that of a model file or
        of a provider card.

    Raises
    ------
    PyampError
        Another device, or pyamp was built without nvcc. That there is a GPU is seen when the library is initialised.
    """
    from pyamp.paths import library  # also run as a script, which must not find itself imported

    if device not in ("cpu", "cuda"):
        raise PyampError(f"umami_library: device {device!r} found, 'cpu' or 'cuda' expected")
    path = library("pyamp" if device == "cpu" else "pyamp_umami_cuda")
    if not path.is_file():
        raise PyampError(
            f"{path}: not there, pyamp was built without nvcc; put nvcc on the PATH and build again"
        )
    return str(path)


def olp_library() -> str:
    """Path of the library that hosts of the Binoth Les Houches Accord open; see ``docs/hosts.md``.

    Returns
    -------
    str
        ``libpyamp_olp.so`` with OLP_Start, OLP_EvalSubProcess2 and the others.
    """
    from pyamp.paths import library

    return str(library("pyamp_olp"))


def provider_card(
    source: str | os.PathLike[str], path: str | os.PathLike[str] | None = None, **options: Any
) -> str:
    """Write a provider card, the one path that UMAMI hosts and the Sherpa card take, and return where it lies.

    Parameters
    ----------
    source : str or path-like
        Name of a built-in amplitude (``"gg_to_aag"``), ``"tree:PROCESS"`` for a quark line with leptons and gluons,
        ``"blha:LIBRARY"`` for a BLHA provider, ``"sherpa:PROCESS"`` for a tree-level process of Sherpa, which is
        compiled if need be and written as a BLHA provider, the path of a model file ``.safetensors``, or of a YAML
        card, which is written as JSON.
    path : path-like, optional
        Where to write it, ``NAME.json``; a new file in the folder for temporary files by default.
    **options
        ``alpha_s``, ``alpha``, ``policy``, ``dtype``, ``weights``, ``device``, ``truth``,
        ``identical_particle_factor``, ``blha``, ``tree``, ``sherpa``: see ``docs/hosts.md``. They replace those of a
        YAML card.

    Returns
    -------
    str
        Path of the card.

    Raises
    ------
    PyampError
        Unknown options, or values of the wrong kind.

    Examples
    --------
    >>> card = pyamp.provider_card("gg_to_aag", alpha_s=0.118)              # doctest: +SKIP
    >>> context.load_matrix_element(pyamp.umami_library(), card)            # doctest: +SKIP
    """
    name = os.fspath(source)
    card: dict[str, Any] = (
        read_provider_card(name) if name.endswith((".yaml", ".yml", ".json")) else {"source": _source(name)}
    )
    card.update((key, value) for key, value in options.items() if value is not None)
    if card["source"].startswith(PREFIX):
        opened = open_tree_level(card["source"], **card.pop("sherpa", {}))
        card |= {"source": opened.source, "blha": opened.options}
    try:
        text = json.dumps(card, indent=1)
    except TypeError as error:
        raise PyampError(
            f"provider card of {name}: {error}; numbers, strings, true and false expected"
        ) from None
    if path is None:
        stem = re.sub(r"[^\w.-]+", "_", Path(name).stem)
        handle, path = tempfile.mkstemp(prefix=f"pyamp_{stem}_", suffix=".json")
        os.close(handle)
    path = os.fspath(path)
    if not path.endswith(".json"):
        raise PyampError(f"{path}: a provider card is named NAME.json")
    try:
        Path(path).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise PyampError(f"{path}: cannot be written: {error.strerror}") from None
    _core.read_request(path)
    return path


def read_provider_card(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Entries of a provider card in YAML or JSON; paths of model files are made absolute.

    Raises
    ------
    PyampError
        The file is missing, is no mapping or has no ``source``.
    """
    path = Path(path)
    card = read_yaml(path, "a provider card")
    if not isinstance(card, dict) or not isinstance(card.get("source"), str):
        raise PyampError(f"{path}: no provider card; keys and values with 'source' expected")
    return {**card, "source": _source(card["source"], path.parent)}


def _source(name: str, folder: Path = Path()) -> str:
    if name in _core.builtin_amplitudes():
        return f"builtin:{name}"
    return name if name.startswith(("builtin:", "blha:", TREE, PREFIX)) else str((folder / name).resolve())
