"""What every layer is: pure functions from parameters, statistics and an input to an output."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import DTypeLike

from sim_engine._check import Array, generator, whole
from sim_engine._tree import Tree
from sim_engine.encoders._given import float_dtype

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
    """A function with parameters. It holds sizes alone; parameters and statistics come and go.

    Examples:
        >>> from sim_engine.encoders import Relu, Sequential
        >>> class Double:
        ...     def init(self, rng, dtype=np.float32):
        ...         return {}, {}
        ...     def forward(self, params, state, x, *, training=True):
        ...         return Forward(2 * x, {}, None)
        ...     def backward(self, grad_y, cache, *, to_input=True):
        ...         return Backward(2 * grad_y if to_input else None, {})
        >>> network = Sequential({"double": Double(), "relu": Relu()})
        >>> network.forward({}, {}, np.array([[1.0, -1.0]])).y.tolist()
        [[2.0, 0.0]]
    """

    def init(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> tuple[Tree, Tree]:
        """Return the first parameters and the first statistics.

        Raises:
            ValueError: something is drawn and rng is no generator, or dtype is not float32 or float64.
        """
        ...

    def forward(self, params: Tree, state: Tree, x: Array, *, training: bool = True) -> Forward:
        """Return the output; `training` says whether statistics are those of the batch.

        NaN and infinity pass: a training that diverges is to be seen where it is measured.

        Raises:
            ValueError: x is no array, is empty or does not fit the layer, or a parameter does not.
        """
        ...

    def backward(self, grad_y: Array, cache: Any, *, to_input: bool = True) -> Backward:
        """Carry a gradient back; without `to_input` the product that makes `grad_x` is spared.

        Raises:
            ValueError: grad_y has not the shape of y, or is not finite.
        """
        ...


def he_normal(
    rng: np.random.Generator, shape: tuple[int, ...], fan_in: int, dtype: DTypeLike = np.float32
) -> Array:
    r"""Draw weights of variance $2/n_\text{in}$, which a ReLU passes on without growth or decay.

    Args:
        rng: where the draw comes from.
        shape: of the weights, each size >= 1.
        fan_in: $n_\text{in}$, inputs to one output, >= 1.
        dtype: float32 or float64.

    Returns:
        Weights of that shape, without unit.

    Raises:
        ValueError: rng is no generator, a size or fan_in is not a whole number >= 1, or dtype is
            not float32 or float64.

    Source:
        He, Zhang, Ren, Sun (2015), arXiv:1502.01852, eq. 10.

    Examples:
        >>> weight = he_normal(np.random.default_rng(0), (400, 50), 50)
        >>> round(float(weight.var() * 50), 1)
        2.0
    """
    if not isinstance(shape, tuple) or not shape:
        raise ValueError(f"shape must be a tuple of sizes, got {shape!r}")
    sizes = tuple(whole("shape", size, least=1) for size in shape)
    scale = np.sqrt(2.0 / whole("fan_in", fan_in, least=1))
    kind = float_dtype(dtype)
    drawn: Array = generator(rng).standard_normal(sizes, dtype=np.float64) * scale
    return drawn.astype(kind, copy=False)
