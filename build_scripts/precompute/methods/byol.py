"""BYOL: predict what a slow copy of oneself makes of the other view; no negatives (Grill et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method
from build_scripts.precompute.methods.slow_copy import SlowCopy, check_share, rising

__all__ = ["BYOL"]


class BYOL(Method):
    """Each view's prediction against the slow copy's z of the other view.

    Args:
        encoder, head: as `Method`.
        predictor: z to a prediction of the other z; None predicts z as it is.
        momentum: share of the slow copy that an update keeps, at first.
        rising_momentum: whether the share rises to 1 along half a cosine, as in the paper.

    Source:
        Grill et al. (2020), arXiv:2006.07733, eq. 2 and section 3.2.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        *,
        predictor: nn.Module | None,
        momentum: float = 0.99,
        rising_momentum: bool = True,
    ) -> None:
        super().__init__(encoder, head)
        self.predictor = nn.Identity() if predictor is None else predictor
        self.momentum = check_share("momentum", momentum)
        self.rising_momentum = rising_momentum
        self.slow = SlowCopy(encoder, head)

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the squared distances of both predictions, from 0 to 8."""
        p = self.predictor(torch.cat(self.project(view_a, view_b)))
        z = self.slow(torch.cat([view_a, view_b]))
        return losses.byol(*(self.gather(half) for both in (p, z) for half in both.chunk(2)))

    def after_step(self, step: int, steps: int) -> None:
        """Let the slow copy follow."""
        momentum = rising(self.momentum, step, steps) if self.rising_momentum else self.momentum
        self.slow.follow(self.encoder, self.head, momentum)
