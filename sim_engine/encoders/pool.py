"""Pooling: fewer pixels, by the largest of four or by the mean of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sim_engine._check import Array
from sim_engine._tree import Tree
from sim_engine.encoders._given import gradient, size_of
from sim_engine.encoders._layer import NOTHING, Backward, Forward


@dataclass(frozen=True)
class MaxPool:
    r"""The largest of every 2 × 2 pixels, channel by channel; the gradient goes to it alone.

    $$y_{n,i,j,c} = \max_{u,v \in \{0, 1\}} x_{n,\,2i+u,\,2j+v,\,c}$$

    Of equal ones the first, in rows, has it, as in torch.

    Source:
        Derived here: the derivative of a maximum; torch's MaxPool2d in the tests.

    Examples:
        >>> x = np.array([[1.0, 2.0], [4.0, 3.0]]).reshape(1, 2, 2, 1)
        >>> y, _, cache = MaxPool().forward({}, {}, x)
        >>> y.item(), MaxPool().backward(np.ones_like(y), cache).grad_x[0, :, :, 0].tolist()
        (4.0, [[0.0, 0.0], [1.0, 0.0]])
    """

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return nothing: there is nothing to learn."""
        return NOTHING, NOTHING

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return y (N, H/2, W/2, C) of x (N, H, W, C).

        Raises:
            ValueError: x has not four axes, is empty, or a side is odd.
        """
        shape = size_of("x", x)
        if len(shape) != 4 or shape[1] % 2 or shape[2] % 2:
            raise ValueError(f"x must have shape (N, H, W, C), H and W even, got {shape}")
        n, h, w, c = shape
        blocks = x.reshape(n, h // 2, 2, w // 2, 2, c).transpose(0, 1, 3, 5, 2, 4)
        blocks = blocks.reshape(n, h // 2, w // 2, c, 4)  # the four pixels of a block last
        largest = blocks.argmax(axis=4)[..., None]
        return Forward(np.take_along_axis(blocks, largest, axis=4)[..., 0], NOTHING, (largest, shape))

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Return the gradient in x (N, H, W, C), of one in y (N, H/2, W/2, C).

        Raises:
            ValueError: grad_y has another shape, or is not finite.
        """
        largest, (n, h, w, c) = cache
        gradient(grad_y, (n, h // 2, w // 2, c))
        blocks = np.zeros((*grad_y.shape, 4), grad_y.dtype)
        np.put_along_axis(blocks, largest, grad_y[..., None], axis=4)
        spread = blocks.reshape(n, h // 2, w // 2, c, 2, 2).transpose(0, 1, 4, 2, 5, 3)
        return Backward(spread.reshape(n, h, w, c), NOTHING)


@dataclass(frozen=True)
class MeanPool:
    r"""The mean over all pixels, channel by channel; each pixel gets an equal part of the gradient.

    $$y_{n,c} = \frac1{HW}\sum_{i,j} x_{n,i,j,c}$$

    Source:
        Lin, Chen, Yan (2013), Network in network, arXiv:1312.4400, section 3.2, global average pooling.

    Examples:
        >>> MeanPool().forward({}, {}, np.arange(4.0).reshape(1, 2, 2, 1)).y.tolist()
        [[1.5]]
    """

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return nothing: there is nothing to learn."""
        return NOTHING, NOTHING

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return y (N, C) of x (N, H, W, C).

        Raises:
            ValueError: x has not four axes, or is empty.
        """
        shape = size_of("x", x)
        if len(shape) != 4:
            raise ValueError(f"x must have shape (N, H, W, C), got {shape}")
        return Forward(x.mean(axis=(1, 2)), NOTHING, shape)

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Return the gradient in x (N, H, W, C), of one in y (N, C).

        Raises:
            ValueError: grad_y is not (N, C), or not finite.
        """
        n, h, w, c = cache
        gradient(grad_y, (n, c))
        part = grad_y / (h * w)
        return Backward(np.broadcast_to(part[:, None, None, :], (n, h, w, c)).copy(), NOTHING)
