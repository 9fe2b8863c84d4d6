"""What a host on a GPU does, in a process that has not loaded pyamp's own libraries; see test_umami_cuda.py."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.cpp.umami_calls import SUCCESS, Buffer, call, flags_of


@dataclass
class Answer:
    """Statuses and reasons, the outputs when the call returned, and those once its stream had done its work."""

    status: int
    error: str
    pending: int = 0
    at_return: dict[int, np.ndarray] = field(default_factory=dict)
    outputs: dict[int, np.ndarray] = field(default_factory=dict)


class Libraries:
    def __init__(self, folder: Path) -> None:
        self.device = ctypes.CDLL(str(folder / "libcuda_on_host.so"))
        self.umami = ctypes.CDLL(str(folder / "libpyamp_umami_cuda.so"))
        self.core = ctypes.CDLL(str(folder / "libpyamp.so"))
        self.core.pyamp_last_error.restype = ctypes.c_char_p

    def answer(self, status: int) -> Answer:
        return Answer(status, "" if status == SUCCESS else self.core.pyamp_last_error().decode())


def declared(folder: Path) -> dict[str, list[bool]]:
    umami = Libraries(folder).umami
    names = ("umami_supported_inputs", "umami_required_inputs", "umami_supported_outputs")
    return {name: flags_of(umami, name) for name in names}


def metadata(folder: Path, path: str) -> list[int]:
    """Keys 0 to 4 while an instance is open."""
    umami, handle, result = Libraries(folder).umami, ctypes.c_void_p(), ctypes.c_int(-1)
    assert umami.umami_initialize(ctypes.byref(handle), path.encode()) == SUCCESS
    values = []
    for key in range(5):
        assert umami.umami_get_meta(key, ctypes.byref(result)) == SUCCESS
        values.append(result.value)
    assert umami.umami_free(handle) == SUCCESS
    return values


def opened(folder: Path, path: str, n_devices: int = 1) -> Answer:
    libraries, handle = Libraries(folder), ctypes.c_void_p()
    libraries.device.on_host_set_device_count(n_devices)
    answer = libraries.answer(libraries.umami.umami_initialize(ctypes.byref(handle), path.encode()))
    libraries.device.on_host_set_device_count(1)
    assert (handle.value is None) == (answer.status != SUCCESS)
    libraries.umami.umami_free(handle)
    return answer


def evaluate(
    folder: Path,
    path: str,
    inputs: dict[int, Buffer],
    outputs: dict[int, Buffer],
    count: int,
    stride: int,
    offset: int = 0,
    parameters: dict[str, float] | None = None,
) -> Answer:
    """One call of an instance of its own; output 5 is the stream."""
    libraries, handle = Libraries(folder), ctypes.c_void_p()
    umami = libraries.umami
    assert umami.umami_initialize(ctypes.byref(handle), path.encode()) == SUCCESS
    for name, value in (parameters or {}).items():
        real, imaginary = ctypes.c_double(value), ctypes.c_double()
        assert umami.umami_set_parameter(handle, name.encode(), real, imaginary) == SUCCESS
    arrays = {key: array for key, array in outputs.items() if isinstance(array, np.ndarray)}
    answer = libraries.answer(call(umami, handle, inputs, outputs, count, stride, offset))
    stream = ctypes.c_void_p(outputs.get(5))  # type: ignore[arg-type]
    answer.pending = libraries.device.on_host_pending(stream)
    answer.at_return = {key: array.copy() for key, array in arrays.items()}
    libraries.device.on_host_wait(stream)
    answer.outputs = arrays
    assert umami.umami_free(handle) == SUCCESS
    return answer
