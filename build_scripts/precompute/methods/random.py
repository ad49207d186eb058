"""Random: the network as it starts, the yardstick of what an architecture gives untrained."""

from __future__ import annotations

from torch import Tensor, nn

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method

__all__ = ["Random"]


class Random(Method):
    """First weights that stay: nothing is trained, and `fit` records epoch 0 alone.

    Args:
        encoder, head: as `Method`; their weights are frozen.
        tau: temperature of the loss, > 0.
    """

    trains = False

    def __init__(self, encoder: nn.Module, head: nn.Module, *, tau: float = 0.5) -> None:
        super().__init__(encoder, head)
        self.requires_grad_(False)
        self.tau = tau

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return NT-Xent in nats: where SimCLR starts."""
        z_a, z_b = self.project(view_a, view_b)
        return losses.nt_xent(self.gather(z_a), self.gather(z_b), self.tau)
