"""VICReg: views agree, no column dies, no two columns say the same (Bardes, Ponce, LeCun 2022)."""

from __future__ import annotations

from torch import Tensor, nn

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method

__all__ = ["VICReg"]


class VICReg(Method):
    """Agreement of the views, and two penalties that keep the columns of z alive and apart.

    By default the weights are those of the authors' code, which takes the mean over the entries of z
    where the paper's equation takes the sum over a row. With the paper's own 25, 25, 1 in the equation,
    agreement outweighs the rest d / 2 times more, and with d = 64 a small network collapses to the loss
    of a point, 49.5.

    Args:
        encoder, head: as `Method`.
        d: length of z.
        invariance, variance, covariance: weights in the paper's equation, each >= 0. An invariance of
            None is 25 / d.

    Source:
        Bardes, Ponce, LeCun (2022), arXiv:2105.04906, eq. 6, and the authors' code.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        *,
        d: int,
        invariance: float | None = None,
        variance: float = 12.5,
        covariance: float = 1.0,
    ) -> None:
        super().__init__(encoder, head)
        if invariance is None:
            invariance = 25.0 / d
        self.weights = {"invariance": invariance, "variance": variance, "covariance": covariance}
        for name, weight in self.weights.items():
            if not weight >= 0:
                raise ValueError(f"{name} must be >= 0, got {weight!r}")

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the weighted sum, without unit."""
        z_a, z_b = self.project(view_a, view_b)
        return losses.vicreg(self.gather(z_a), self.gather(z_b), **self.weights)
