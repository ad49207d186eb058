"""A convolution of 3 × 3 pixels, as one product of matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from sim_engine._check import Array, whole
from sim_engine._matmul import matmul
from sim_engine._tree import Tree, leaf
from sim_engine.encoders._given import gradient, size_of
from sim_engine.encoders._layer import NOTHING, Backward, Forward, he_normal


@dataclass(frozen=True)
class Conv:
    r"""The same linear map of every 3 × 3 neighbourhood, with a border of zeros.

    $$y_{n,i,j,c} = b_c + \sum_{u,v=0}^{2}\sum_{k} W_{c,u,v,k}\;x_{n,\,si+u-1,\,sj+v-1,\,k}$$

    The neighbourhoods are laid out as rows of a matrix (N H' W', 9 channels), so that the sum is a
    product; going back, each row's gradient is added where its pixels came from.

    Parameters: `weight` (n_out, 3, 3, n_in), `bias` (n_out,).

    Attributes:
        n_in: channels of the input.
        n_out: channels of the output.
        stride: s, pixels from one neighbourhood to the next, 1 or more.
        bias: whether there is one; before batch norm it would be subtracted again.

    Raises:
        ValueError: a number is not whole, or below 1.

    Source:
        Chellapilla, Puri, Simard (2006), High performance convolutional neural networks for document
        processing: the neighbourhoods unrolled into a matrix. torch's Conv2d in the tests.

    Examples:
        >>> layer = Conv(1, 1, bias=False)
        >>> params = {"weight": np.ones((1, 3, 3, 1))}
        >>> layer.forward(params, {}, np.ones((1, 3, 3, 1))).y[0, :, :, 0].tolist()
        [[4.0, 6.0, 4.0], [6.0, 9.0, 6.0], [4.0, 6.0, 4.0]]
    """

    n_in: int
    n_out: int
    stride: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        whole("n_in", self.n_in, least=1)
        whole("n_out", self.n_out, least=1)
        whole("stride", self.stride, least=1)

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return weights by He's rule and a bias of 0; there are no statistics.

        Raises:
            ValueError: rng is no generator, or dtype is not float32 or float64.
        """
        params = {"weight": he_normal(rng, (self.n_out, 3, 3, self.n_in), 9 * self.n_in, dtype)}
        if self.bias:
            params["bias"] = np.zeros(self.n_out, dtype)
        return params, NOTHING

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return y (N, H', W', n_out) of x (N, H, W, n_in), H' = ceil(H / stride).

        Raises:
            ValueError: x is not (N, H, W, n_in), or a parameter is missing or has another shape.
        """
        shape = size_of("x", x)
        if len(shape) != 4 or shape[3] != self.n_in:
            raise ValueError(f"x must have shape (N, H, W, {self.n_in}), got {shape}")
        weight = leaf(params, "weight", (self.n_out, 3, 3, self.n_in)).reshape(self.n_out, -1)
        count, height, width, _ = shape
        framed = np.zeros((count, height + 2, width + 2, self.n_in), x.dtype)
        framed[:, 1:-1, 1:-1] = x
        tall, wide = self._places(height), self._places(width)
        columns = np.empty((count, tall, wide, 3, 3, self.n_in), x.dtype)
        for u, v, window in self._windows(tall, wide):
            columns[:, :, :, u, v] = framed[window]
        flat = columns.reshape(-1, 9 * self.n_in)
        y = matmul(flat, weight.T)
        if self.bias:
            y += leaf(params, "bias", (self.n_out,))
        return Forward(y.reshape(count, tall, wide, self.n_out), NOTHING, (flat, weight, shape))

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Return gradients in x (N, H, W, n_in) and in the parameters, of one in y (N, H', W', n_out).

        Raises:
            ValueError: grad_y has not the shape of y, or is not finite.
        """
        flat, weight, (count, height, width, _) = cache
        tall, wide = self._places(height), self._places(width)
        gradient(grad_y, (count, tall, wide, self.n_out))
        grad = grad_y.reshape(-1, self.n_out)
        grads = {"weight": matmul(grad.T, flat).reshape(self.n_out, 3, 3, self.n_in)}
        if self.bias:
            grads["bias"] = grad.sum(axis=0)
        if not to_input:
            return Backward(None, grads)
        columns = matmul(grad, weight).reshape(count, tall, wide, 3, 3, self.n_in)
        framed = np.zeros((count, height + 2, width + 2, self.n_in), grad.dtype)
        for u, v, window in self._windows(tall, wide):
            framed[window] += columns[:, :, :, u, v]
        return Backward(framed[:, 1:-1, 1:-1], grads)

    def _places(self, length: int) -> int:
        return -(-length // self.stride)

    def _windows(self, tall: int, wide: int) -> list[tuple[int, int, tuple[slice, slice, slice]]]:
        """Where, in the framed image, entry (u, v) of every neighbourhood lies."""
        s = self.stride
        return [
            (u, v, (slice(None), slice(u, u + s * (tall - 1) + 1, s), slice(v, v + s * (wide - 1) + 1, s)))
            for u in range(3)
            for v in range(3)
        ]
