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
    backend : {"auto", "fused", "libtorch"}
        What runs the network: the fused kernels where they can and LibTorch otherwise, or the one that is named.
    threads : int
        Threads that share a large batch, at least 1024 points each; the results do not depend on it. LibTorch has its
        own threads too.
    policy : {"error", "nan", "truth"}
        What becomes of flagged rows: an error, NaN, or the truth where the point is sound but outside the domain.
    truth : str, optional
        Built-in amplitude for ``policy="truth"``; the one of the model's process by default.
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
        backend: Literal["auto", "fused", "libtorch"] = "auto",
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
            in the frame of the domain's cuts (the laboratory). NumPy, Torch or any DLPack array, any strides.
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
