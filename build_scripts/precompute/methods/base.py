"""What every method is: an encoder, a head, and a loss of two views."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Method", "here_alone"]


def here_alone(rows: Tensor) -> Tensor:
    """Return the rows as they are: what `gather` is where one process holds the whole batch."""
    return rows


class Method(nn.Module):
    """An encoder and a head, and how they learn from two views of a batch.

    A loss is that of the whole batch: where several processes share it, `gather` brings the rows of
    all together, with their gradients, and every process computes the same number.

    Attributes:
        encoder: (n, C, H, W) to h (n, features).
        head: h to z (n, d), not normalised.
        gather: rows of this process to the rows of all, in the order of the processes.
        needs_labels: whether `loss` asks for labels; the others are never given any.
        trains: whether there is anything to train.
    """

    needs_labels: bool = False
    trains: bool = True

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.gather: Callable[[Tensor], Tensor] = here_alone

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the loss of a batch, a scalar; nats where it has a unit.

        Args:
            view_a, view_b: (n, C, H, W); row i of both comes from image i.
            labels: int64 (n,), for methods that need them.
        """
        raise NotImplementedError

    def after_step(self, step: int, steps: int) -> None:
        """Do what follows an update of the weights: momentum copies, queues, bounds.

        Args:
            step: which update it was, from 0.
            steps: how many there will be in all.
        """

    def forward(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return `loss`: so that what wraps a module, for precision or processes, wraps the loss."""
        return self.loss(view_a, view_b, labels)

    def project(self, view_a: Tensor, view_b: Tensor) -> tuple[Tensor, Tensor]:
        """Return z of both views, each (n, d), in one pass: batch statistics are those of all 2n."""
        z_a, z_b = self.head(self.encoder(torch.cat([view_a, view_b]))).chunk(2)
        return z_a, z_b

    @torch.no_grad()
    def embed(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return h (n, features) and unit z (n, d) of images (n, C, H, W); nothing is learned.

        Each image stands alone: batch norm takes its running statistics. The mode (training or
        evaluation) is afterwards what it was.
        """
        training = self.training
        self.eval()
        try:
            weight = next(self.encoder.parameters(), images)
            h = self.encoder(images.to(weight.dtype))
            return h, functional.normalize(self.head(h), dim=1)
        finally:
            self.train(training)
