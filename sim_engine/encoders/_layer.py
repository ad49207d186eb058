"""What every layer is: pure functions from parameters, statistics and an input to an output."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from sim_engine._check import Array
from sim_engine._tree import Tree

NOTHING: Tree = {}


class Forward(NamedTuple):
    """What going forward returns.

    Attributes:
        y: the output.
        state: the layer's statistics after this batch; {} where it keeps none.
        cache: what `backward` needs, and nothing else should read.
    """

    y: Array
    state: Tree
    cache: Any


class Backward(NamedTuple):
    """What going backward returns.

    Attributes:
        grad_x: gradient in the input, in its shape; None where it was not asked for.
        grads: gradients in the parameters, under their names.
    """

    grad_x: Array | None
    grads: Tree


class Layer(Protocol):
    """A function with parameters. It holds sizes alone; parameters and statistics come and go."""

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return the first parameters and the first statistics."""
        ...

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return the output; `training` says whether statistics are those of the batch."""
        ...

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Carry a gradient back; without `to_input` the product that makes `grad_x` is spared."""
        ...


def he_normal(
    rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, dtype: DTypeLike = np.float32
) -> Array:
    r"""Draw weights of variance $2/n_\text{in}$, which a ReLU passes on without growth or decay.

    Args:
        rng: where the draw comes from.
        shape: of the weights.
        fan_in: $n_\text{in}$, inputs to one output.
        dtype: float32 or float64.

    Returns:
        Weights of that shape, without unit.

    Source:
        He, Zhang, Ren, Sun (2015), arXiv:1502.01852, eq. 10.

    Examples:
        >>> weight = he_normal(np.random.default_rng(0), (400, 50), 50)
        >>> round(float(weight.var() * 50), 1)
        2.0
    """
    scale = np.sqrt(2.0 / fan_in)
    drawn: Array = rng.standard_normal(shape, dtype=np.float64) * scale
    return drawn.astype(dtype, copy=False)
