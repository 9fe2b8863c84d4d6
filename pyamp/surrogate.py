"""A surrogate in Python: representation, preprocessing, network, posterior and likelihood, as it is trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pyamp.likelihoods import HeteroskedasticGaussian
from pyamp.posteriors import Posterior
from pyamp.representations import LogInvariants


@dataclass(frozen=True)
class StrippedPrediction:
    """Mean and uncertainties ``(n,)`` of the amplitude without couplings, in GeV^(8 − 2 n_legs)."""

    amplitude: torch.Tensor
    sigma_syst: torch.Tensor
    sigma_stat: torch.Tensor


class Surrogate(torch.nn.Module):
    """Momenta to amplitude and uncertainties; the couplings are stripped.

    The network sees standardised features and predicts ``(ln(A/factor) − mean)/std``.
    """

    target_mean: torch.Tensor
    target_std: torch.Tensor

    def __init__(
        self, representation: LogInvariants, posterior: Posterior, likelihood: HeteroskedasticGaussian
    ) -> None:
        super().__init__()
        self.representation = representation
        self.posterior = posterior
        self.likelihood = likelihood
        self.register_buffer("target_mean", torch.zeros((), dtype=torch.float64))
        self.register_buffer("target_std", torch.ones((), dtype=torch.float64))

    @property
    def dtype(self) -> torch.dtype:
        """Arithmetic of the network; everything around it is float64."""
        return next(self.posterior.parameters()).dtype

    def fit_preprocessing(self, momenta: torch.Tensor, amplitude: torch.Tensor) -> None:
        """Set all standardisation constants from training points ``(n, legs, 4)``, ``(n,)``."""
        self.representation.fit(momenta)
        reduced = amplitude.log() - self.representation.log_factor(momenta)
        self.target_mean.copy_(reduced.mean())
        self.target_std.copy_(reduced.std())

    def preprocess(self, momenta: torch.Tensor, amplitude: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Features ``(n, n_features)`` and targets ``(n,)`` in the network's dtype."""
        reduced = amplitude.log() - self.representation.log_factor(momenta)
        target = (reduced - self.target_mean) / self.target_std
        return self.representation(momenta).to(self.dtype), target.to(self.dtype)

    def forward(self, momenta: torch.Tensor) -> StrippedPrediction:
        """Evaluate momenta ``(n, legs, 4)``, float64, GeV."""
        outputs = self.posterior(self.representation(momenta).to(self.dtype)).double()
        log_offset = self.representation.log_factor(momenta) + self.target_mean
        mean, sigma = self.likelihood.amplitude_moments(outputs, log_offset, float(self.target_std))
        return StrippedPrediction(
            amplitude=mean.mean(dim=0),
            sigma_syst=(sigma**2).mean(dim=0).sqrt(),
            sigma_stat=mean.std(dim=0, correction=0),
        )
