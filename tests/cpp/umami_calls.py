"""Calls of UMAMI by ctypes, of any library that exports it; imports nothing of pyamp."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence

import numpy as np

SUCCESS, ERROR, UNSUPPORTED_INPUT, UNSUPPORTED_OUTPUT, UNSUPPORTED_META, MISSING_INPUT = 0, 1, 3, 4, 5, 6

Buffer = np.ndarray | int | None
"""An array, a stream (its address) or a null pointer."""


def pointers(buffers: Sequence[Buffer]) -> ctypes.Array[ctypes.c_void_p]:
    addresses = [b.ctypes.data_as(ctypes.c_void_p) if isinstance(b, np.ndarray) else b for b in buffers]
    return (ctypes.c_void_p * len(addresses))(*addresses)


def call(
    umami: ctypes.CDLL,
    handle: ctypes.c_void_p,
    inputs: Mapping[int, Buffer],
    outputs: Mapping[int, Buffer],
    count: int,
    stride: int,
    offset: int = 0,
) -> int:
    keys = [(ctypes.c_int * len(d))(*d) for d in (inputs, outputs)]
    sizes = [ctypes.c_size_t(n) for n in (count, stride, offset)]
    given = ctypes.c_size_t(len(inputs)), keys[0], pointers(list(inputs.values()))
    wanted = ctypes.c_size_t(len(outputs)), keys[1], pointers(list(outputs.values()))
    status: int = umami.umami_matrix_element(handle, *sizes, *given, *wanted)
    return status


def batch_fastest(momenta: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(momenta.transpose(2, 1, 0))


def flags_of(umami: ctypes.CDLL, function: str) -> list[bool]:
    """What umami_supported_inputs and its likes declare."""
    flags, count = ctypes.POINTER(ctypes.c_bool)(), ctypes.c_int()
    assert getattr(umami, function)(ctypes.byref(flags), ctypes.byref(count)) == SUCCESS
    return flags[: count.value]
