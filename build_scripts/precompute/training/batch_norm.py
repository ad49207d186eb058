"""Batch norm over several processes, on any device: torch's own SyncBatchNorm needs CUDA."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn

__all__ = ["SharedBatchNorm", "share_statistics"]


class _Sum(torch.autograd.Function):
    """The sum over processes; backward, the sum of what all made of it.

    As `gather_rows`: each process computes the loss of all, and DDP averages the weights' gradients.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.contiguous().clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        total = grad.contiguous().clone()
        distributed.all_reduce(total)
        return total


class SharedBatchNorm(nn.modules.batchnorm._BatchNorm):
    r"""$y = \gamma\,(x - \mu)/\sqrt{\sigma^2 + \epsilon} + \beta$, mean and variance of all processes' rows.

    In evaluation it is torch's batch norm. Each process must hold as many rows.

    Source:
        Ioffe and Szegedy (2015), arXiv:1502.03167, algorithm 1.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # the name of torch's own argument
        if input.ndim < 2:
            raise ValueError(f"batch norm needs (n, C, ...), got {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        """Return the normalised rows (n, C, ...), in the precision of the input."""
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        x = input if input.dtype == torch.float64 else input.float()
        over = [0, *range(2, x.ndim)]
        shape = (1, -1, *[1] * (x.ndim - 2))
        count = x.numel() // x.shape[1] * distributed.get_world_size()
        mean = _sum(x.sum(dim=over)) / count  # (C,)
        centred = x - mean.view(shape)
        # In a second pass: the difference of two large sums would lose digits.
        variance = _sum(centred.square().sum(dim=over)) / count
        self._keep(mean.detach(), variance.detach() * count / (count - 1))
        y = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(input.dtype)

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards a batch's."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


def share_statistics(module: nn.Module) -> None:
    """Put a `SharedBatchNorm` in place of every batch norm inside a module; weights and names stay."""
    for name, child in module.named_children():
        if isinstance(child, nn.modules.batchnorm._BatchNorm):
            shared = SharedBatchNorm(
                child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats
            )
            shared.weight, shared.bias = child.weight, child.bias
            shared.running_mean, shared.running_var = child.running_mean, child.running_var
            shared.num_batches_tracked = child.num_batches_tracked
            shared.train(child.training)
            setattr(module, name, shared)
        else:
            share_statistics(child)


def _sum(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total
