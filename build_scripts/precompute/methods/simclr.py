"""SimCLR: NT-Xent between the views of a batch (Chen et al. 2020)."""

from __future__ import annotations

from torch import Tensor, nn

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method

__all__ = ["SimCLR"]


class SimCLR(Method):
    """Each view is to find its partner among all other views of the batch.

    Args:
        encoder, head: as `Method`.
        tau: temperature, > 0.
        normalise, mask_self: as `losses.nt_xent`; False is a mistake, to be shown.

    Source:
        Chen et al. (2020), arXiv:2002.05709, algorithm 1.
    """

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        *,
        tau: float = 0.5,
        normalise: bool = True,
        mask_self: bool = True,
    ) -> None:
        super().__init__(encoder, head)
        self.tau = tau
        self.wrong = {"normalise": normalise, "mask_self": mask_self}

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return NT-Xent in nats."""
        z_a, z_b = self.project(view_a, view_b)
        return losses.nt_xent(self.gather(z_a), self.gather(z_b), self.tau, **self.wrong)
