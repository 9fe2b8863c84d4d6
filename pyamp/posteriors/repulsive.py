"""Repulsive ensemble: members pushed apart until their spread is that of the posterior."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from pydantic import Field

from pyamp.likelihoods import Likelihood
from pyamp.networks import Network
from pyamp.posteriors.ensemble import DeepEnsemble
from pyamp.posteriors.posterior import Batch, GaussianPrior, PosteriorConfig


class RepulsiveEnsemble(DeepEnsemble):
    """K networks that repel each other as functions (arXiv:2106.11642, 2211.01421, 2412.12069).

    The loss is ::

        Σ_i [ −⟨ln p(x|θ_i)⟩ + (c β/N) Σ_j k(A_i, Ā_j)/Σ_j k(Ā_i, Ā_j) + θ_i²/(2Nσ²) ]

    with Ā = A without gradient. Its gradient in A_i is that of ``(1/N) ln [posterior / kernel density of the
    members]``, so members come to rest where their density is the posterior. A_i are the predicted means at the points
    of the batch and ``k = exp(−|A_i − A_j|²/h)`` with ``h = median_{i≠j} |A_i − A_j|²/ln K``.

    h is measured on the same points as the distance, so the exponent is the same for a sum or a mean over points, and B
    points stand for all N of them; no factor B/N is missing. Two things beyond the published loss are needed for σ_stat
    to be that of the posterior:

    *Unit.* A_i is counted in units of σ(x), the median σ_syst of the members without gradient. Data pull all determined
    directions of function space back equally strongly in this unit only; in others the members differ just where the
    noise is largest, and agree elsewhere.

    *Strength c.* A kernel density is wider than what it smooths and repels too weakly. For the exact density q
    integration by parts fixes the strength, whatever q is: ``⟨−(A − ⟨A⟩)·∇ ln q⟩ = D`` in D dimensions. So c = D/V
    with V this virial for the kernel density and D the number of directions in which members differ, ``(Σ λ)²/Σ λ²``
    over the eigenvalues λ of their covariance. With c = 1 a normal posterior comes out with σ_stat² too small by V/D:
    1/(1 + D/ln K) for many members, 0.28 for K = 16 in D = 4. With c, σ_stat² (the variance over members with 1/K) is
    exact for K > D. K networks differ in K − 1 directions at most: where the data determine D > K − 1, σ_stat² comes
    out too small by (K − 1)/D.

    Parameters
    ----------
    networks : list of Network
        Members with their initial weights.
    prior : GaussianPrior
        Of each member; its ``n_train`` is N.
    repulsion : float
        β; 1 is the posterior, 0 a deep ensemble.
    normalised : bool
        Unit and strength as above; otherwise those of the target and c = 1, the loss as published.
    """

    prior: GaussianPrior

    def __init__(
        self, networks: list[Network], prior: GaussianPrior, repulsion: float = 1.0, normalised: bool = True
    ) -> None:
        super().__init__(networks, "repulsive_ensemble", prior)
        self.repulsion = repulsion
        self.normalised = normalised

    def loss(self, batch: Batch, likelihood: Likelihood) -> torch.Tensor:
        outputs = self(batch.features)
        components = likelihood.components(outputs)
        means = components.total_mean()
        if self.normalised:
            variance = (components.weight * components.variance).sum(dim=-1)
            means = means / variance.detach().median(dim=0).values.sqrt()
        repulsion = self.repulsion / self.prior.n_train * repulsions(means, self.normalised).sum()
        return self._loss_of(outputs, batch, likelihood) + repulsion


def repulsions(means: torch.Tensor, normalised: bool = True) -> torch.Tensor:
    """``c Σ_j k(A_i, Ā_j)/Σ_j k(Ā_i, Ā_j)`` of each member ``(K,)``, of predicted means ``(K, n)``.

    Its value is c; what matters is its gradient.
    """
    members = len(means)
    # Distances are those of the small deviations from the mean, which single precision resolves.
    deviations = means - means.detach().mean(dim=0)
    fixed = deviations.detach()
    square = fixed.square().sum(dim=1)
    # By differences, not products: distances stay exact with an outlier among the members.
    distances = torch.cdist(deviations, fixed, compute_mode="donot_use_mm_for_euclid_dist").square()
    others = ~torch.eye(members, dtype=torch.bool, device=means.device)
    median = distances.detach()[others].median().clamp(min=torch.finfo(means.dtype).eps ** 2)
    kernel = torch.exp(-distances * (math.log(members) / median))
    sums = kernel.detach().sum(dim=1)
    ratios = kernel.sum(dim=1) / sums
    if not normalised:
        return ratios
    products = fixed @ fixed.T
    along = square[:, None] - products  # (A_i − A_j)·(A_i − ⟨A⟩)
    virial = ((kernel.detach() * along).sum(dim=1) / sums).mean() * (2.0 * math.log(members) / median)
    directions = square.sum() ** 2 / products.square().sum().clamp(min=torch.finfo(means.dtype).tiny)
    # Never weaker than the published loss, nor stronger than for K equidistant members: far from the posterior, with
    # an outlier among the members say, V can be anything.
    largest = (2 * members - 1) / math.log(members)
    factor = torch.where(virial > directions / largest, directions / virial, largest)
    return factor.clamp(min=1.0) * ratios


class RepulsiveEnsembleConfig(PosteriorConfig):
    """Repulsive ensemble: members pushed apart until their spread is that of the posterior."""

    type: Literal["repulsive_ensemble"] = "repulsive_ensemble"
    members: int = Field(default=16, ge=2, description="networks, trained together")
    repulsion: float = Field(default=1.0, ge=0, description="1: the posterior; 0: a deep ensemble")
    prior_width: float = Field(default=1.0, gt=0, description="of the Gaussian prior of the weights")
    normalised: bool = Field(default=True, description="scaled to the posterior's width; false: as published")

    def build(self, make_network: Callable[[], Network], n_train: int, seed: int) -> RepulsiveEnsemble:
        return RepulsiveEnsemble(
            [make_network() for _ in range(self.members)],
            GaussianPrior(self.prior_width, n_train),
            self.repulsion,
            self.normalised,
        )
