"""The evaluator: a model file as a function momenta → (amplitude, σ_syst, σ_stat), run by the C++ core."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pyamp import _core
from pyamp.errors import PyampError

if TYPE_CHECKING:
    import torch

    ArrayLike = Any | torch.Tensor
    Array = NDArray[np.float64] | torch.Tensor

Policy = Literal["error", "nan", "truth"]
SMALLEST_PART = 1024  # points of a thread: less than a millisecond of work is not worth one


@dataclass(frozen=True)
class Prediction:
    """What a surrogate says about n points; NumPy arrays, or Torch tensors where the momenta were one.

    Attributes
    ----------
    amplitude : array
        ``(n,)``: mean of |M|², couplings included, summed over final and averaged over initial helicities and
        colours, without identical-particle factors, GeV^(8 − 2 n_legs).
    sigma_syst, sigma_stat : array
        ``(n,)``: learned and posterior uncertainty in the unit of the amplitude.
    flags : array
        ``(n,)`` int32: 0 for a sound point, else a sum of 1 (NaN or infinity), 2 (off-shell), 4 (momentum not
        conserved), 8 (outside the training domain), 16 (value from the truth), 32 (evaluation failed).
    """

    amplitude: Array
    sigma_syst: Array
    sigma_stat: Array
    flags: Array

    @property
    def sigma_tot(self) -> Array:
        """``√(σ_syst² + σ_stat²)``, ``(n,)``."""
        total: Array = (self.sigma_syst**2 + self.sigma_stat**2) ** 0.5
        return total


class Evaluator:
    """A surrogate loaded from a model file.

    Parameters
    ----------
    path : path-like
        Model file ``NAME.safetensors``. Its self-test points are re-evaluated on loading.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``: where the network runs.
    dtype : {"float32", "float64"}, optional
        Arithmetic of the network; the file's by default. Momenta and invariants are always float64.
    backend : {"auto", "fused", "amx", "libtorch"}
        What runs the network: the fused kernels where they can and LibTorch otherwise, or the one that is named.
        ``"amx"``, tiles of Intel processors, is for batches of wide MLPs in float32: layers of 64 units and more.
    weights : {"full", "bfloat16"}
        Weights rounded to 16 bits: a relative error of the amplitude of 1e-4 to 1e-3, at most 2e-2 at the self-test
        points or the model is refused, for half the memory to read, which single points of larger networks wait for.
        For the fused kernels of float32 on the CPU.
    tensor_cores : bool
        Products of float32 on a GPU's tensor cores, each as three products of halves, for the fused kernel there
        (compute capability 8.0 and above). Verified by emulation, never run on a GPU so far. A model that does not fit
        that kernel runs on the arithmetic units; `backend_reason` says why.
    threads : int
        Threads that share a large batch, at least 1024 points each; the results do not depend on it. LibTorch has its
        own threads too.
    policy : {"error", "nan", "truth"}
        What becomes of flagged rows: an error, NaN, or the truth where the point is sound but outside the domain.
    truth : str, optional
        Built-in amplitude, or ``"tree:PROCESS"``, for ``policy="truth"``; that of the model's process by default.
    alpha_s, alpha : float, optional
        Couplings; those stored in the file by default.

    Raises
    ------
    PyampError
        The file is missing, damaged or newer than this version; the self-test fails; the device does not exist.

    Examples
    --------
    >>> evaluate = pyamp.Evaluator("gg_to_aag.safetensors")   # doctest: +SKIP
    >>> prediction = evaluate(momenta)                        # (n, 5, 4), GeV, [E, px, py, pz]   # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        device: str = "cpu",
        dtype: Literal["float32", "float64"] | None = None,
        *,
        backend: Literal["auto", "fused", "amx", "libtorch"] = "auto",
        weights: Literal["full", "bfloat16"] = "full",
        tensor_cores: bool = False,
        threads: int = 1,
        policy: Policy = "error",
        truth: str | None = None,
        alpha_s: float | None = None,
        alpha: float | None = None,
    ) -> None:
        if threads < 1:
            raise PyampError(f"threads: {threads} found, 1 or more expected")
        self._core = _core.Evaluator(
            os.fspath(path),
            device=device,
            dtype=dtype,
            backend=backend,
            weights=weights,
            tensor_cores=tensor_cores,
            policy=policy,
            truth=truth or "",
            alpha_s=alpha_s,
            alpha=alpha,
        )
        self._policy = policy
        self._threads = threads
        self.header: dict[str, Any] = json.loads(self._core.header)

    @property
    def backend(self) -> str:
        """What runs the network, on which device, in which arithmetic."""
        name: str = self._core.backend
        return name

    @property
    def backend_reason(self) -> str:
        """Why that and no other."""
        reason: str = self._core.backend_reason
        return reason

    @property
    def process(self) -> dict[str, Any]:
        """``name``, ``pdg_ids`` and ``n_incoming`` of the process."""
        process: dict[str, Any] = self.header["process"]
        return process

    @property
    def domain(self) -> dict[str, Any]:
        """``sqrt_s_hat`` [min, max] in GeV and ``cuts`` of the training points."""
        domain: dict[str, Any] = self.header["domain"]
        return domain

    @property
    def couplings(self) -> dict[str, float]:
        """``alpha_s`` and ``alpha`` that multiply the stripped amplitude, and their powers."""
        return {**self.header["couplings"], "alpha_s": self._core.alpha_s, "alpha": self._core.alpha}

    def __call__(self, momenta: ArrayLike, alpha_s: float | ArrayLike | None = None) -> Prediction:
        """Evaluate points.

        Parameters
        ----------
        momenta : array-like
            Shape ``(n, legs, 4)`` or ``(legs, 4)``, GeV, ``[E, px, py, pz]``, incoming legs first with positive energy,
            in the frame of the domain's cuts (the laboratory). NumPy, Torch or any DLPack array, any strides. A tensor
            on the GPU on which a fused model runs stays there, and so do the results; under ``policy="nan"`` nothing
            waits for the GPU, so that the call can be part of a ``torch.cuda.graph``.
        alpha_s : float or array-like, optional
            α_s of all points or of each, shape ``(n,)``.

        Returns
        -------
        Prediction
            Arrays ``(n,)``; n = 1 for a single point. Rows are independent: what one holds changes no other.

        Raises
        ------
        PyampError
            Wrong shape; a flagged point under ``policy="error"``.
        """
        if _is_tensor(momenta) and momenta.is_cuda and self._core.is_on_device and self._policy != "truth":
            return self._evaluate_on_device(momenta, alpha_s)
        points = _as_numpy("momenta", momenta)
        if points.ndim == 2:
            points = points[None]
        couplings = None
        if alpha_s is not None:
            couplings = _as_numpy("alpha_s", alpha_s)
            if couplings.ndim == 0:
                couplings = np.full(points.shape[:1], couplings)
        amplitude, sigma_syst, sigma_stat, flags = self._evaluate(points, couplings)
        if self._policy == "error" and flags.any():
            raise PyampError(_core.describe_flagged(flags))
        return Prediction(
            _like(momenta, amplitude),
            _like(momenta, sigma_syst),
            _like(momenta, sigma_stat),
            _like(momenta, flags),
        )

    def _evaluate(
        self, points: NDArray[np.float64], couplings: NDArray[np.float64] | None
    ) -> tuple[NDArray[Any], ...]:
        """Results ``(n,)`` of contiguous parts, each in its own thread."""
        n_parts = min(self._threads, len(points) // SMALLEST_PART)
        if n_parts < 2:
            return self._core.evaluate(points, couplings)
        edges = np.linspace(0, len(points), n_parts + 1).astype(int)
        slices = [slice(first, last) for first, last in pairwise(edges)]

        def part(of: slice) -> tuple[NDArray[Any], ...]:
            return self._core.evaluate(points[of], None if couplings is None else couplings[of])

        with ThreadPoolExecutor(n_parts) as pool:
            return tuple(np.concatenate(arrays) for arrays in zip(*pool.map(part, slices), strict=True))

    def _evaluate_on_device(self, momenta: torch.Tensor, alpha_s: float | ArrayLike | None) -> Prediction:
        """Tensors of the GPU to tensors of the GPU, on Torch's current stream."""
        import torch

        points = momenta.detach()
        if points.ndim == 2:
            points = points[None]
        legs = len(self.process["pdg_ids"])
        if points.shape[1:] != (legs, 4):
            raise PyampError(f"momenta: shape {tuple(momenta.shape)} found, (n, {legs}, 4) expected")
        device = torch.device(self._core.device)
        if points.device != device:
            raise PyampError(f"momenta: on {points.device}, the model is on {device}; move one of them")
        points = points.to(torch.float64)
        n = len(points)
        couplings = None
        if alpha_s is not None:
            couplings = torch.as_tensor(alpha_s, dtype=torch.float64, device=device)
            if couplings.ndim == 0:
                couplings = couplings.expand(n)
            if couplings.shape != (n,):
                raise PyampError(
                    f"alpha_s: shape {tuple(couplings.shape)} found, one value or ({n},) expected"
                )
            couplings = couplings.contiguous()
        amplitude, sigma_syst, sigma_stat = torch.empty((3, n), dtype=torch.float64, device=device)
        flags = torch.empty(n, dtype=torch.int32, device=device)
        self._core.evaluate_on_device(
            points.data_ptr(),
            (points.stride(0), points.stride(1), points.stride(2)),
            n,
            0 if couplings is None else couplings.data_ptr(),
            (amplitude.data_ptr(), sigma_syst.data_ptr(), sigma_stat.data_ptr(), flags.data_ptr()),
            torch.cuda.current_stream(device).cuda_stream,
        )
        # The only wait for the GPU, so none under policy "nan".
        if self._policy == "error" and bool(flags.any()):
            raise PyampError(_core.describe_flagged(flags.cpu().numpy()))
        return Prediction(amplitude, sigma_syst, sigma_stat, flags)

    def __repr__(self) -> str:
        return f"Evaluator({self.process['name']}, {self.backend})"


def _is_tensor(array: Any) -> bool:
    return type(array).__module__.partition(".")[0] == "torch"


def _as_numpy(name: str, array: Any) -> NDArray[np.float64]:
    try:
        if _is_tensor(array):
            array = array.detach().cpu().numpy()
        elif hasattr(array, "__dlpack__") and not isinstance(array, np.ndarray):
            array = np.from_dlpack(array)
        array = np.asarray(array)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise PyampError(
            f"{name}: not an array ({str(error).splitlines()[0]}); real numbers expected"
        ) from error
    if array.dtype.kind not in "fiu":
        raise PyampError(f"{name}: dtype {array.dtype} found, real numbers expected")
    return np.asarray(array, dtype=np.float64)


def _like(original: Any, array: NDArray[Any]) -> Any:
    """The array as what the caller gave: a tensor on the same device, or NumPy."""
    if not _is_tensor(original):
        return array
    import torch

    return torch.from_numpy(array).to(original.device)
