"""Several processes that share each batch: rows of all to each, with their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed, nn

from build_scripts.precompute.methods import Method, here_alone
from build_scripts.precompute.training.batch_norm import share_statistics

__all__ = ["gather_rows", "gathering", "shared_batch_norm"]


class _Gather(torch.autograd.Function):
    """All rows to all; backward, each process gets back the sum of what all made of its rows.

    W processes compute the same loss, so that sum is W times the loss's gradient. Averaging over
    the processes, which DDP does with the weights' gradients, divides by W: what is left is the
    gradient that one process with the whole batch would have. No further factor is needed.
    """

    @staticmethod
    def forward(ctx: object, rows: Tensor) -> Tensor:
        parts = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:
        total = grad.contiguous()
        distributed.all_reduce(total)
        own: Tensor = total.chunk(distributed.get_world_size())[distributed.get_rank()]
        return own


def gather_rows(rows: Tensor) -> Tensor:
    """Return the rows (n, ...) of all W processes, (W n, ...), in the order of the processes.

    Every process must hold as many rows. The result has a gradient, so that a loss over it is
    trained as if one process held them all.
    """
    gathered: Tensor = _Gather.apply(rows)  # type: ignore[no-untyped-call]
    return gathered


@contextmanager
def gathering(method: Method, fabric: Fabric) -> Iterator[None]:
    """Let a method's loss be that of all processes; afterwards it is of one again, to be measured."""
    method.gather = gather_rows if fabric.world_size > 1 else here_alone
    try:
        yield
    finally:
        method.gather = here_alone


def shared_batch_norm(method: Method, fabric: Fabric) -> None:
    """With several processes, make batch norm take the statistics of the whole batch.

    On CUDA by torch's SyncBatchNorm, which is one kernel, elsewhere by `SharedBatchNorm`. Both wait for
    all processes in training, so none may call the method alone in that mode.
    """
    if fabric.world_size == 1:
        return
    if fabric.device.type == "cuda":
        nn.SyncBatchNorm.convert_sync_batchnorm(method)  # type: ignore[no-untyped-call]
    else:
        share_statistics(method)
