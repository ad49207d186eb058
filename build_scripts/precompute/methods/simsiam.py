"""SimSiam: predict one's own z of the other view, held fixed; no negatives, no slow copy (Chen & He 2021)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method

__all__ = ["SimSiam"]


class SimSiam(Method):
    """Each view's prediction against the same network's z of the other view.

    Args:
        encoder, head: as `Method`.
        predictor: z to a prediction of the other z; None predicts z as it is, and the network collapses.
        stop_gradient: whether z is held fixed as a target; without, the network collapses.

    Source:
        Chen & He (2021), arXiv:2011.10566, algorithm 1 and section 4.
    """

    def __init__(
        self, encoder: nn.Module, head: nn.Module, *, predictor: nn.Module | None, stop_gradient: bool = True
    ) -> None:
        super().__init__(encoder, head)
        self.predictor = nn.Identity() if predictor is None else predictor
        self.stop_gradient = stop_gradient

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return minus the cosine of prediction and target, from -1 to 1."""
        z = torch.cat(self.project(view_a, view_b))
        halves = (self.gather(half) for both in (self.predictor(z), z) for half in both.chunk(2))
        return losses.simsiam(*halves, stop_gradient=self.stop_gradient)
