"""Likelihoods of the preprocessed amplitude: the training loss, and what outputs mean for the amplitude."""

from __future__ import annotations

import torch


class HeteroskedasticGaussian:
    """Gaussian with a learned width: outputs are the mean and ln σ of the standardised ln A.

    ln σ is cut off at 0: a width above the spread of all targets says nothing, and in the tail of ln A it would make
    the mean of A arbitrarily large. The loss is ``(t − μ)²/(2σ²) + ln σ`` per point (arXiv:2206.14831,
    without the constant).
    """

    name = "heteroskedastic_gaussian"
    n_outputs = 2

    def loss(self, outputs: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss per point ``(…, n)`` of outputs ``(…, n, 2)`` for standardised targets ``(n,)``."""
        mean, log_sigma = outputs[..., 0], outputs[..., 1].clamp(max=0.0)
        return 0.5 * ((target - mean) * torch.exp(-log_sigma)) ** 2 + log_sigma

    def amplitude_moments(
        self, outputs: torch.Tensor, log_offset: torch.Tensor, scale: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of the amplitude.

        A Gaussian ``ln A ~ N(m, s²)`` makes A log-normal: ``⟨A⟩ = exp(m + s²/2)``, ``σ_A = ⟨A⟩ √(exp(s²) − 1)``.

        Parameters
        ----------
        outputs : torch.Tensor
            ``(…, n, 2)``: mean and ln σ in units of the standardised target.
        log_offset : torch.Tensor
            ``(n,)``: what was subtracted from ln A before it was divided by ``scale``.
        scale : float

        Returns
        -------
        tuple of torch.Tensor
            ``(…, n)`` each, in the unit of the amplitude.
        """
        mean = log_offset + scale * outputs[..., 0]
        variance = (scale * torch.exp(outputs[..., 1].clamp(max=0.0))) ** 2
        amplitude = torch.exp(mean + 0.5 * variance)
        return amplitude, amplitude * torch.sqrt(torch.expm1(variance))
