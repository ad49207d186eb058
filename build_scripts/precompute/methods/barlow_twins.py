"""Barlow Twins: columns of the two views agree each with itself and with no other (Zbontar et al. 2021)."""

from __future__ import annotations

from torch import Tensor, nn

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method

__all__ = ["BarlowTwins"]


class BarlowTwins(Method):
    """No view is compared with another image's: the columns of z are.

    Args:
        encoder, head: as `Method`.
        lam: weight of the correlations of different columns, >= 0.

    Source:
        Zbontar et al. (2021), arXiv:2103.03230, eq. 1 and 2.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, *, lam: float = 0.0051) -> None:
        super().__init__(encoder, head)
        if not lam >= 0:
            raise ValueError(f"lam must be >= 0, got {lam!r}")
        self.lam = lam

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the distance of the correlations from the identity, without unit."""
        z_a, z_b = self.project(view_a, view_b)
        return losses.barlow_twins(self.gather(z_a), self.gather(z_b), lam=self.lam)
