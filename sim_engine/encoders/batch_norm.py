"""Batch norm: every channel has mean 0 and variance 1 over the batch (Ioffe & Szegedy 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sim_engine._check import Array, positive, whole
from sim_engine._tree import Tree, leaf
from sim_engine.encoders._given import float_dtype, gradient, size_of
from sim_engine.encoders._layer import Backward, Forward


@dataclass(frozen=True)
class BatchNorm:
    r"""Every channel less its mean, over its standard deviation, then scaled and shifted.

    $$y = \gamma\hat x + \beta, \qquad \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}$$

    In training $\mu$ and $\sigma^2$ are the batch's, so that its rows see one another and the
    gradient passes through both. Otherwise they are the running ones, and a row stands alone. With
    $g = \gamma\,\partial y/\sqrt{\sigma^2+\epsilon}$, $\partial x = g - \overline{g} - \hat
    x\,\overline{g\hat x}$, the bars means over the batch.

    Parameters: `scale` $\gamma$ (C,), `shift` $\beta$ (C,). Statistics: `mean` (C,), `var` (C,),
    the running ones, moved by `momentum` towards the batch's; the variance there has n - 1 below.

    Attributes:
        channels: C, the length of the input's last axis; all other axes are the batch.
        momentum: share of the new batch in the running statistics, in (0, 1].
        eps: added to the variance, > 0, in the squared unit of x.

    Raises:
        ValueError: channels < 1, momentum outside (0, 1], or eps <= 0.

    Source:
        Ioffe & Szegedy (2015), arXiv:1502.03167, algorithm 1, its gradient, and algorithm 2.

    Examples:
        >>> layer = BatchNorm(1)
        >>> params, state = layer.init(np.random.default_rng(0), np.float64)
        >>> y, state, _ = layer.forward(params, state, np.array([[1.0], [3.0]]))
        >>> y.round(3).tolist(), state["mean"].round(3).tolist()
        ([[-1.0], [1.0]], [0.2])
    """

    channels: int
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        whole("channels", self.channels, least=1)
        positive("eps", self.eps)
        if positive("momentum", self.momentum) > 1:
            raise ValueError(f"momentum must be at most 1, got {self.momentum}: it is the new batch's share")

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return scale 1 and shift 0; running mean 0 and variance 1.

        Raises:
            ValueError: dtype is not float32 or float64.
        """
        kind = float_dtype(dtype)
        ones, zeros = np.ones(self.channels, kind), np.zeros(self.channels, kind)
        return {"scale": ones, "shift": zeros}, {"mean": zeros, "var": ones}

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return y of x (..., C), and the running statistics.

        Raises:
            ValueError: the last axis is not C, x is empty, a parameter or statistic is missing, or a
                training batch has one row only, which has no variance.
        """
        shape = size_of("x", x)
        if len(shape) < 2 or shape[-1] != self.channels:
            raise ValueError(f"x must have shape (N, ..., {self.channels}), got {shape}")
        size = (self.channels,)
        mean, var = leaf(state, "mean", size), leaf(state, "var", size)
        scale, shift = leaf(params, "scale", size), leaf(params, "shift", size)
        flat = x.reshape(-1, self.channels)
        count = len(flat)
        if training:
            if count < 2:
                raise ValueError("x must hold at least 2 rows in training, got 1: one row has no variance")
            batch_mean = flat.mean(axis=0)
            hat = flat - batch_mean
            batch_var = np.einsum("ij,ij->j", hat, hat) / count
            keep = 1.0 - self.momentum
            state = {
                "mean": keep * mean + self.momentum * batch_mean,
                "var": keep * var + self.momentum * count / (count - 1) * batch_var,
            }
            var = batch_var
        else:
            hat = flat - mean
        inverse = 1.0 / np.sqrt(var + self.eps)
        hat *= inverse
        y = hat * scale
        y += shift
        return Forward(y.reshape(shape), state, (hat, inverse, scale, training, shape))

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Return gradients in x, in its shape, and in scale and shift.

        Raises:
            ValueError: grad_y has not the shape of x, or is not finite.
        """
        hat, inverse, scale, training, shape = cache
        gradient(grad_y, shape)
        grad = grad_y.reshape(hat.shape)
        grad_scale, grad_shift = np.einsum("ij,ij->j", grad, hat), grad.sum(axis=0)
        grads = {"scale": grad_scale, "shift": grad_shift}
        if not to_input:
            return Backward(None, grads)
        if training:
            grad_x = hat * (grad_scale / -len(hat))
            grad_x += grad
            grad_x -= grad_shift / len(hat)
            grad_x *= scale * inverse
        else:
            grad_x = grad * (scale * inverse)
        return Backward(grad_x.reshape(shape), grads)
