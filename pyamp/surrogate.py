"""A surrogate in Python: representation, target, network, posterior and likelihood, as it is trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pyamp.errors import PyampError
from pyamp.likelihoods import Components, Likelihood
from pyamp.networks import MLP
from pyamp.posteriors import Posterior
from pyamp.recalibration import Recalibration
from pyamp.representations import Representation
from pyamp.representations.representation import in_chunks
from pyamp.targets import Target


@dataclass(frozen=True)
class StrippedPrediction:
    """Mean and uncertainties ``(n,)`` of the amplitude without couplings, in GeV^(8 − 2 n_legs)."""

    amplitude: torch.Tensor
    sigma_syst: torch.Tensor
    sigma_stat: torch.Tensor


class Surrogate(torch.nn.Module):
    """Momenta to amplitude and uncertainties; the couplings are stripped.

    Over the members of the posterior, the amplitude is the mean of their means, σ_syst² the mean of their variances and
    σ_stat² the variance of their means (arXiv:2412.12069).

    Attributes
    ----------
    sigma_network : MLP or None
        Predicts ln σ of the target around the mean of an ensemble, in place of the members' σ_syst (arXiv:2509.00155).
    recalibration : Recalibration or None
        Correction of the uncertainties, fitted on held-out points.
    """

    def __init__(
        self, representation: Representation, target: Target, posterior: Posterior, likelihood: Likelihood
    ) -> None:
        super().__init__()
        self.representation = representation
        self.target = target
        self.posterior = posterior
        self.likelihood = likelihood
        self.sigma_network: MLP | None = None
        self.recalibration: Recalibration | None = None

    @property
    def dtype(self) -> torch.dtype:
        """Arithmetic of the network; everything around it is float64."""
        return next(self.posterior.parameters()).dtype

    def to_dtype(self, dtype: torch.dtype) -> None:
        """Change the arithmetic of the networks, and of nothing else."""
        self.posterior.to(dtype)
        if self.sigma_network is not None:
            self.sigma_network.to(dtype)

    def fit_preprocessing(self, momenta: torch.Tensor, amplitude: torch.Tensor) -> None:
        """Set all standardisation constants from training points ``(n, legs, 4)``, ``(n,)``."""
        self.representation.fit(momenta)
        self.target.fit(amplitude, self.representation.log_factor(momenta))
        self.posterior.architecture.fit(self.representation, self.target)

    def continue_from(self, other: Surrogate) -> None:
        """Take the standardisation constants and the weights of the posterior of a surrogate with the same parts.

        Raises
        ------
        PyampError
            Its parts are others, or its file does not hold all of its posterior.
        """
        try:
            self.representation.load_state_dict(other.representation.state_dict())
            self.target.load_state_dict(other.target.state_dict())
            self.posterior.architecture.fit(self.representation, self.target)
            self.posterior.load_tensors(other.posterior.tensors())
        except (KeyError, RuntimeError) as error:
            raise PyampError(
                f"start: the surrogate does not have the parts of the configuration ({str(error).splitlines()[0]}); "
                "train without it, or with the configuration it was trained with"
            ) from None

    def preprocess(
        self, momenta: torch.Tensor, amplitude: torch.Tensor, dtype: torch.dtype = torch.float64
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Features ``(n, n_features)`` in some dtype, from float64, and targets ``(n,)``, float64."""
        target = self.target(amplitude, self.representation.log_factor(momenta))
        return in_chunks(lambda part: self.representation(part).to(dtype), momenta), target

    def forward(self, momenta: torch.Tensor) -> StrippedPrediction:
        """Evaluate momenta ``(n, legs, 4)``, float64, GeV."""
        features = self.representation(momenta)
        log_factor = self.representation.log_factor(momenta)
        components = self.likelihood.components(self.posterior(features.to(self.dtype)).double())
        means, variances, statistical = self._member_moments(components, log_factor)
        amplitude = means.mean(dim=0)
        sigma_syst = variances.mean(dim=0).sqrt()
        sigma_stat = (means.var(dim=0, correction=0) + statistical.mean(dim=0)).sqrt()
        if self.sigma_network is not None:
            sigma_syst = self._sigma_around(amplitude, features, log_factor)
        if self.recalibration is not None:
            sigma_syst, sigma_stat = self.recalibration(amplitude, sigma_syst, sigma_stat)
        return StrippedPrediction(amplitude, sigma_syst, sigma_stat)

    def member_means(self, momenta: torch.Tensor) -> torch.Tensor:
        """⟨A⟩ of every member of the posterior, ``(members, n)``: coherent samples, each a function of phase space."""
        components = self.likelihood.components(
            self.posterior(self.representation(momenta).to(self.dtype)).double()
        )
        return self._member_moments(components, self.representation.log_factor(momenta))[0]

    def _member_moments(
        self, components: Components, log_factor: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mean, variance and statistical variance ``(members, n)`` of the amplitude of each member."""
        offset = log_factor[:, None]
        mean, sigma = self.target.moments(components.mean, components.variance, offset)
        weight = components.weight
        amplitude = (weight * mean).sum(dim=-1)
        variance = (weight * (sigma**2 + (mean - amplitude[..., None]) ** 2)).sum(dim=-1)
        if components.statistical is None:
            return amplitude, variance, torch.zeros_like(variance)
        _, sigma_stat = self.target.moments(components.mean, components.statistical, offset)
        return amplitude, variance, (weight * sigma_stat**2).sum(dim=-1)

    def _sigma_around(
        self, amplitude: torch.Tensor, features: torch.Tensor, log_factor: torch.Tensor
    ) -> torch.Tensor:
        """σ_syst ``(n,)`` of the σ-network around the amplitude."""
        assert self.sigma_network is not None
        log_sigma = self.sigma_network(features.to(self.dtype))[:, 0].double().clamp(max=0.0)
        return self.target.sigma_around(amplitude, torch.exp(2.0 * log_sigma), log_factor)
