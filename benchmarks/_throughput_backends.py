"""pyamp and its peers as backends that can be checked and timed in CPU seconds of one thread."""

import ctypes
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import _common
import _throughput_nets as nets
import nlohmann_json
import numpy as np
import torch

import pyamp
from pyamp._core import amx_obstacle
from pyamp.paths import library
from pyamp.surrogate import Surrogate

NATIVE = Path(__file__).with_name("throughput_native")
CACHE = _common.ROOT / "build" / "benchmarks"
EIGEN_INCLUDES = ("/usr/include/eigen3", "/usr/local/include/eigen3")
TORCH = Path(torch.__file__).parent


@dataclass
class Task:
    """A network at one batch size, from one kind of input.

    Attributes
    ----------
    input : numpy.ndarray
        float64, ``(batches · batch, …)``: features or momenta of the batches, which calls take in turn.
    """

    net: nets.Net
    surrogate: Surrogate
    model: Path
    plain: nets.PlainNetwork
    from_momenta: bool
    batch: int
    input: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the input of one call."""
        return (self.batch, *self.input.shape[1:])

    @property
    def input_dtype(self) -> torch.dtype:
        """What the peers' graphs take."""
        return torch.float64 if self.from_momenta else self.net.dtype

    @property
    def key(self) -> str:
        """Names what is compiled for this network in the cache."""
        digest = hashlib.sha256(self.model.read_bytes()).hexdigest()[:12]
        start = "momenta" if self.from_momenta else "features"
        return f"{self.net.name}_{start}_{digest}_{torch.__version__}"


class Backend(ABC):
    """One way to evaluate a task."""

    @abstractmethod
    def seconds(self, calls: int) -> float:
        """CPU seconds of this thread for that many calls."""

    @abstractmethod
    def outputs(self) -> np.ndarray:
        """Of the first batch, flat."""


class NotInstalled(pyamp.PyampError):
    """A peer, a header or a compiler that is optional is not here."""


class NativeBackend(Backend):
    """A ``Call`` of the compiled drivers; see ``throughput_native/call.h``."""

    def __init__(self, task: Task, name: str, function: str, *arguments: object) -> None:
        native = driver(name)
        make = getattr(native, function)
        make.restype = ctypes.c_void_p
        self._clock = driver("pyamp_calls")
        self._task = task
        self._call = ctypes.c_void_p(make(*arguments))
        if not self._call:
            native.throughput_last_error.restype = ctypes.c_char_p
            reason = native.throughput_last_error().decode().splitlines()[0]
            raise pyamp.PyampError(f"{function} of net {task.net.name}: {reason}")

    def __del__(self) -> None:
        self._clock.free_call(self._call)

    def seconds(self, calls: int) -> float:
        stride = int(np.prod(self._task.shape))
        batches = self._task.input.size // stride
        sizes = (ctypes.c_size_t(stride), ctypes.c_size_t(batches), ctypes.c_size_t(calls))
        self._clock.time_calls.restype = ctypes.c_double
        return float(self._clock.time_calls(self._call, _pointer(self._task.input), *sizes))

    def outputs(self) -> np.ndarray:
        values = np.empty(self._task.batch * 64)
        self._clock.evaluate_once.restype = ctypes.c_size_t
        size = ctypes.c_size_t(values.size)
        n = self._clock.evaluate_once(self._call, _pointer(self._task.input), _pointer(values), size)
        return values[:n]


class Eager(Backend):
    """Torch in Python, as a notebook would call it."""

    def __init__(self, task: Task) -> None:
        self._task = task
        batches = torch.from_numpy(task.input).to(task.input_dtype).split(task.batch)
        self._batches = batches

    def seconds(self, calls: int) -> float:
        module, batches, n = self._task.plain, self._batches, len(self._batches)
        with torch.inference_mode():
            start = time.thread_time()
            for k in range(calls):
                module(batches[k % n])
            return time.thread_time() - start

    def outputs(self) -> np.ndarray:
        with torch.inference_mode():
            return self._task.plain(self._batches[0]).double().flatten().numpy()


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _cached(name: str, make: Callable[[Path], None]) -> Path:
    """A file of the cache, made where it is not there; whole or not at all."""
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        print(f"compiling {name}", file=sys.stderr, flush=True)
        unfinished = path.with_stem(f"{os.getpid()}_{path.stem}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            make(unfinished)
        unfinished.rename(path)
    return path


@cache
def driver(name: str) -> ctypes.CDLL:
    """A compiled driver of ``throughput_native``, loaded."""
    return ctypes.CDLL(str(compiled(name)))


def compiled(name: str) -> Path:
    """The shared library of a driver, built where it is not in the cache."""
    source = NATIVE / f"{name}.cpp"
    options = _compiler_options(name)
    text = source.read_text() + (NATIVE / "call.h").read_text() + " ".join(options)

    def build(path: Path) -> None:
        command = ["g++", "-std=c++20", "-fPIC", "-shared", str(source), *options, "-ldl", "-o", str(path)]
        try:
            subprocess.run(command, capture_output=True, text=True, check=True)
        except FileNotFoundError:
            raise NotInstalled("g++") from None
        except subprocess.CalledProcessError as error:
            reason = str(error.stderr).strip().splitlines()[0]
            raise pyamp.PyampError(f"{source.name} does not compile: {reason}") from None

    return _cached(f"{name}_{hashlib.sha256(text.encode()).hexdigest()[:12]}.so", build)


def _compiler_options(name: str) -> list[str]:
    core = library("pyamp")
    sources = f"-I{_common.ROOT / 'csrc'}"
    match name:
        case "pyamp_calls":
            json = Path(str(nlohmann_json.__file__)).parent / "include"
            return ["-O2", sources, f"-I{json}", str(core), f"-Wl,-rpath,{core.parent}"]
        case "call_trace":
            return ["-O2", sources]
        case "eigen_calls":
            include = next((path for path in EIGEN_INCLUDES if Path(path, "Eigen/Dense").exists()), None)
            if include is None:
                raise NotInstalled("Eigen's headers (apt install libeigen3-dev)")
            return ["-O3", "-march=native", "-isystem", include]
        case "torch_calls":
            includes = [f"-I{TORCH / 'include'}", f"-I{TORCH / 'include/torch/csrc/api/include'}"]
            libraries = [
                f"-L{TORCH / 'lib'}",
                f"-Wl,-rpath,{TORCH / 'lib'}",
                "-ltorch",
                "-ltorch_cpu",
                "-lc10",
            ]
            return ["-O1", *includes, *libraries]
        case _:
            return ["-O3", "-march=native"]


def pyamp_network(task: Task, kind: str) -> Backend:
    """The bare network by the backend ``fused``, ``amx`` or ``libtorch``."""
    arguments = (os.fsencode(task.model), kind.encode(), int(task.from_momenta), ctypes.c_size_t(task.batch))
    return NativeBackend(task, "pyamp_calls", "make_network", *arguments)


def pyamp_tiles(task: Task) -> Backend:
    """The bare network by the backend ``amx``."""
    if obstacle := amx_obstacle():
        raise NotInstalled(obstacle)
    return pyamp_network(task, "amx")


def pyamp_product(task: Task, kind: str) -> Backend:
    """``Evaluator::evaluate``: momenta to amplitude and uncertainties, every check included."""
    arguments = (os.fsencode(task.model), kind.encode(), ctypes.c_size_t(task.batch))
    return NativeBackend(task, "pyamp_calls", "make_product", *arguments)


def pyamp_c_interface(task: Task, kind: str) -> Backend:
    """``pyamp_evaluate`` of the C ABI, as hosts call it."""
    legs = task.input.shape[1]
    arguments = (os.fsencode(task.model), kind.encode(), legs, ctypes.c_size_t(task.batch))
    return NativeBackend(task, "pyamp_calls", "make_c_interface", *arguments)


def eigen(task: Task) -> Backend:
    """Matrices and array functions of Eigen; features only."""
    network = task.surrogate.posterior.architecture
    widths = (ctypes.c_int * len(network.widths))(*network.widths)
    tensors = {name: value.detach().double() for name, value in task.surrogate.posterior.tensors().items()}
    members = task.net.members
    parts = []
    for member in range(members):
        for layer in range(len(network.layers)):
            for kind in ("weight", "bias"):
                value = tensors[f"layers.{layer}.{kind}"]
                parts.append((value[member] if members > 1 else value).flatten())
    weights = np.ascontiguousarray(torch.cat(parts).numpy())
    is_gelu, is_float = int(task.net.activation == "gelu"), int(task.net.dtype == torch.float32)
    arguments = (
        widths,
        len(network.layers),
        is_gelu,
        members,
        is_float,
        _pointer(weights),
        ctypes.c_size_t(task.batch),
    )
    return NativeBackend(task, "eigen_calls", "make_eigen", *arguments)


def _example(task: Task) -> torch.Tensor:
    return torch.from_numpy(task.input[:4]).to(task.input_dtype)


def _shape(task: Task) -> tuple[object, ctypes.c_size_t, int]:
    shape = (ctypes.c_int64 * len(task.shape))(*task.shape)
    return shape, ctypes.c_size_t(len(task.shape)), int(task.input_dtype == torch.float32)


def torchscript(task: Task) -> Backend:
    """A traced and frozen module, called from C++."""

    def make(path: Path) -> None:
        torch.jit.trace(task.plain, _example(task)).save(str(path))

    path = _cached(f"{task.key}.pt", make)
    return NativeBackend(task, "torch_calls", "make_torchscript", os.fsencode(path), *_shape(task))


def aotinductor(task: Task) -> Backend:
    """A package of AOTInductor, called from C++: for batch 1 compiled for that, otherwise for any batch."""

    def make(path: Path) -> None:
        if task.batch == 1:
            program = torch.export.export(task.plain, (_example(task)[:1],))
        else:
            size = torch.export.Dim("n", min=2, max=1 << 20)
            program = torch.export.export(task.plain, (_example(task),), dynamic_shapes=({0: size},))
        torch._inductor.aoti_compile_and_package(program, package_path=str(path))

    path = _cached(f"{task.key}_{'one' if task.batch == 1 else 'any'}.pt2", make)
    return NativeBackend(task, "torch_calls", "make_aotinductor", os.fsencode(path), *_shape(task))


def onnxruntime(task: Task) -> Backend:
    """ONNX Runtime through its C API, input and output bound to memory of the caller, one thread."""
    for package in ("onnxruntime", "onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise NotInstalled(f"{package} (pip install onnxruntime onnx onnxscript)")

    def make(path: Path) -> None:
        size = torch.export.Dim("n", min=1, max=1 << 20)
        torch.onnx.export(
            task.plain,
            (_example(task),),
            str(path),
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=({0: size},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )

    path = _cached(f"{task.key}.onnx", make)
    spec = importlib.util.find_spec("onnxruntime")
    assert spec is not None
    assert spec.origin is not None
    runtime = next(Path(spec.origin).parent.glob("capi/libonnxruntime.so*"), None)
    if runtime is None:
        raise NotInstalled("libonnxruntime.so in the package onnxruntime")
    n_outputs = task.surrogate.likelihood.n_outputs
    output = (task.batch, n_outputs) if task.net.members == 1 else (task.net.members, task.batch, n_outputs)
    shape, axes, float_input = _shape(task)
    out_shape = (ctypes.c_int64 * len(output))(*output)
    arguments = (
        os.fsencode(runtime),
        os.fsencode(path),
        shape,
        axes,
        out_shape,
        ctypes.c_size_t(len(output)),
    )
    float_output = int(task.net.dtype == torch.float32)
    return NativeBackend(task, "onnxruntime_calls", "make_onnxruntime", *arguments, float_input, float_output)


def limits(instruction_set: str) -> tuple[dict[str, float], Callable[[int], float]]:
    """FLOP/s of multiply-adds by dtype, and a function for the bytes per second of reading a buffer of that size."""
    machine = driver("machine_limits")
    for function in ("fma_peak", "read_bandwidth", "copy_bandwidth"):
        getattr(machine, function).restype = ctypes.c_double
    width = 64 if instruction_set == "avx512" else 32
    sizes = {"float32": 4, "float64": 8}
    peaks = {name: max(machine.fma_peak(width, size) for _ in range(20)) for name, size in sizes.items()}

    def bandwidth(size: int) -> float:
        whole = np.ones(max(size, 1024) // 8 + 8, dtype=np.uint64)
        skipped = -whole.ctypes.data % 64 // 8
        data = whole[skipped : skipped + max(size, 1024) // 8]
        repeats = max(1, 50_000_000 // data.nbytes)
        arguments = (_pointer(data), ctypes.c_size_t(data.nbytes), ctypes.c_size_t(repeats))
        return max(float(machine.read_bandwidth(*arguments)) for _ in range(7))

    return peaks, bandwidth


def copy_bandwidth() -> float:
    """Bytes per second, read and written, of copies that fit no cache."""
    machine = driver("machine_limits")
    size = 1 << 28
    source, target = np.ones(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8)
    machine.copy_bandwidth.restype = ctypes.c_double
    arguments = (_pointer(target), _pointer(source), ctypes.c_size_t(size))
    return max(float(machine.copy_bandwidth(*arguments)) for _ in range(7))
