"""Linear: every output is a weighted sum of the inputs."""

from __future__ import annotations

import math
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
class Linear:
    r"""A linear map of rows, $y = xW^\top + b$.

    Going back, $\partial x = \partial y\,W$, $\partial W = \partial y^\top x$ and
    $\partial b = \sum_i \partial y_i$.

    Parameters: `weight` (n_out, n_in), `bias` (n_out,).

    Attributes:
        n_in: length of an input row.
        n_out: length of an output row.
        bias: whether there is one; before batch norm it would be subtracted again.

    Raises:
        ValueError: a length is not a whole number >= 1.

    Source:
        Derived here: the chain rule for a product of matrices; torch's Linear in the tests.

    Examples:
        >>> layer = Linear(2, 1)
        >>> params = {"weight": np.array([[1.0, 2.0]]), "bias": np.array([0.5])}
        >>> y, _, cache = layer.forward(params, {}, np.array([[3.0, 4.0]]))
        >>> y.tolist()
        [[11.5]]
        >>> layer.backward(np.ones((1, 1)), cache).grads["weight"].tolist()
        [[3.0, 4.0]]
    """

    n_in: int
    n_out: int
    bias: bool = True

    def __post_init__(self) -> None:
        whole("n_in", self.n_in, least=1)
        whole("n_out", self.n_out, least=1)

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        r"""Return weights by He's rule and a bias from $\pm1/\sqrt{n_\text{in}}$, as torch draws it.

        With a bias of 0, an input that turns off every ReLU before would come out as a zero row,
        which has no direction.

        Raises:
            ValueError: rng is no generator, or dtype is not float32 or float64.
        """
        params = {"weight": he_normal(rng, (self.n_out, self.n_in), self.n_in, dtype)}
        if self.bias:
            bound = 1.0 / math.sqrt(self.n_in)
            params["bias"] = rng.uniform(-bound, bound, self.n_out).astype(dtype)
        return params, NOTHING

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return y (N, n_out) of x (N, n_in).

        Raises:
            ValueError: x is not (N, n_in), or a parameter is missing or has another shape.
        """
        shape = size_of("x", x)
        if len(shape) != 2 or shape[1] != self.n_in:
            raise ValueError(f"x must have shape (N, {self.n_in}), got {shape}")
        weight = leaf(params, "weight", (self.n_out, self.n_in))
        y = matmul(x, weight.T)
        if self.bias:
            y += leaf(params, "bias", (self.n_out,))
        return Forward(y, NOTHING, (x, weight))

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Return gradients in x (N, n_in) and in the parameters, of one in y (N, n_out).

        Raises:
            ValueError: grad_y is not (N, n_out), or not finite.
        """
        x, weight = cache
        gradient(grad_y, (len(x), self.n_out))
        grads = {"weight": matmul(grad_y.T, x)}
        if self.bias:
            grads["bias"] = grad_y.sum(axis=0)
        return Backward(matmul(grad_y, weight) if to_input else None, grads)
