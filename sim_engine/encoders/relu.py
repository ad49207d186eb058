"""ReLU: what is negative becomes 0."""

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
class Relu:
    r"""The positive part, $y = \max(x, 0)$, entry by entry; the gradient passes where x > 0.

    At 0 itself no gradient passes, as in torch.

    Source:
        Nair & Hinton (2010), Rectified linear units improve restricted Boltzmann machines; torch's in the
        tests.

    Examples:
        >>> y, _, cache = Relu().forward({}, {}, np.array([-1.0, 0.0, 2.0]))
        >>> y.tolist(), Relu().backward(np.ones(3), cache).grad_x.tolist()
        ([0.0, 0.0, 2.0], [0.0, 0.0, 1.0])
    """

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return nothing: there is nothing to learn."""
        return NOTHING, NOTHING

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return y, of x in any shape.

        Raises:
            ValueError: x is no array of numbers, or empty.
        """
        size_of("x", x)
        y = np.maximum(x, 0)
        return Forward(y, NOTHING, y)

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Return the gradient in x, of one in y, both in the shape of x.

        Raises:
            ValueError: grad_y has another shape, or is not finite.
        """
        gradient(grad_y, cache.shape)
        return Backward(np.where(cache > 0, grad_y, grad_y.dtype.type(0)), NOTHING)
