# The compiled core; pyamp's modules document what it does.
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

class Cuts:
    def __init__(self, json_text: str, pdg_ids: Sequence[int], n_incoming: int) -> None: ...
    def passes(self, momenta: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]: ...

class PhaseSpaceSampler:
    def __init__(
        self,
        *,
        pdg_ids: Sequence[int],
        n_incoming: int,
        sqrt_s: float,
        sqrt_s_hat_min: float,
        sqrt_s_hat_max: float,
        exponent: float,
        cuts: str,
    ) -> None: ...
    def sample(
        self, seed: int, start: int, n_trials: int
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]: ...

def massless_phase_space_volume(n: int, s: float) -> float: ...
def philox4x32_10(counter: Sequence[int], key: Sequence[int]) -> list[int]: ...
def unweighting_uniforms(seed: int, start: int, n: int, count: int) -> npt.NDArray[np.float64]: ...
