"""MoCo: a query finds its key among a queue of earlier keys (He et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from build_scripts.precompute.methods import losses
from build_scripts.precompute.methods.base import Method
from build_scripts.precompute.methods.slow_copy import SlowCopy, check_share
from build_scripts.precompute.views import generator

__all__ = ["MoCo"]


class MoCo(Method):
    """A query from the first view, its key from the second by a slow copy, negatives from a queue.

    The number of negatives does not depend on the batch. A batch's keys join the queue after the
    update of the weights. Queue and slow copy are buffers and frozen weights, so a checkpoint keeps
    them. Batches are not shuffled between processes: with batch norm, a query may know its key by
    the batch's statistics, which the paper's shuffling prevents.

    Args:
        encoder, head: as `Method`.
        d: length of z.
        tau: temperature, > 0.
        queue: keys K in the queue, >= 1; random directions at first.
        momentum: share of the slow copy that an update keeps; the paper has .999 for long trainings.
        queue_seed: of the first queue.

    Source:
        He et al. (2020), arXiv:1911.05722, algorithm 1.
    """

    queue: Tensor
    start: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        *,
        d: int,
        tau: float = 0.07,
        queue: int = 1024,
        momentum: float = 0.99,
        queue_seed: int = 0,
    ) -> None:
        super().__init__(encoder, head)
        if type(queue) is not int or queue < 1:
            raise ValueError(f"queue must be a whole number of keys >= 1, got {queue!r}")
        self.tau = tau
        self.momentum = check_share("momentum", momentum)
        self.slow = SlowCopy(encoder, head)
        keys = torch.randn(queue, d, generator=generator(queue_seed))
        self.register_buffer("queue", functional.normalize(keys, dim=1))
        # The row that is written next, which holds the oldest key.
        self.register_buffer("start", torch.zeros((), dtype=torch.int64))
        self._fresh: list[Tensor] = []

    def loss(self, view_a: Tensor, view_b: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return InfoNCE against the queue, in nats; in training, the keys wait for `after_step`."""
        q, k = self.gather(self.head(self.encoder(view_a))), self.gather(self.slow(view_b))
        if self.training and torch.is_grad_enabled():
            self._fresh.append(functional.normalize(k.detach().to(self.queue.dtype), dim=1))
        return losses.info_nce(q, k, self.queue.clone(), self.tau)

    def after_step(self, step: int, steps: int) -> None:
        """Let the slow copy follow, and write the step's keys over the oldest of the queue."""
        self.slow.follow(self.encoder, self.head, self.momentum)
        for keys in self._fresh:
            self.enqueue(keys)
        self._fresh.clear()

    @torch.no_grad()
    def enqueue(self, keys: Tensor) -> None:
        """Write unit keys (n, d) over the oldest, round the end; of more than K the last K remain."""
        size = len(self.queue)
        last = keys[-size:]
        first = self.start + len(keys) - len(last)
        self.queue[(first + torch.arange(len(last), device=keys.device)) % size] = last
        self.start.copy_((self.start + len(keys)) % size)
