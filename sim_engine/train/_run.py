"""What every training shares: batches, views, rates, and what one may look at after a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import Array, all_finite, floats, whole
from sim_engine._tree import Tree, branch, leaves, map_tree
from sim_engine.encoders import Layer, Sequential
from sim_engine.optim._optimizer import not_negative

Augment: TypeAlias = "Callable[[Array, np.random.Generator], Array]"
Rate: TypeAlias = "float | Callable[[int], float]"
Rows: TypeAlias = "NDArray[np.intp]"


@dataclass(frozen=True, eq=False)
class Step:
    """A training after some updates, seen on its next batch.

    Attributes:
        step: updates made so far; 0 is the untrained network.
        loss: of this batch, in the loss's unit, before the next update.
        learning_rate: of the next update; 0 in the last step, after which there is none.
        batch: (N,), which rows of the data were drawn.
        params: of the network, as they were for `loss`.
        state: the network's batch statistics, this batch included.
        z_a, z_b: (N, d), the batch's embeddings, any length of row; row i of both from one image.
        network: the network, of parts `encoder`, `head` and whatever else the method has.
    """

    step: int
    loss: float
    learning_rate: float
    batch: Rows
    params: Tree
    state: Tree
    z_a: Array
    z_b: Array
    network: Sequential

    def encode(self, x: ArrayLike) -> Array:
        """Return h (N, features), what the encoder makes of data like the training's.

        Each row stands alone: batch norm takes its running statistics.

        Raises:
            ValueError: x is not finite, or does not fit the network.
        """
        return through(self.network, ["encoder"], self.params, self.state, x)

    def project(self, x: ArrayLike) -> Array:
        """Return z (N, d), what encoder and head make of data like the training's.

        Raises:
            ValueError: x is not finite, or does not fit the network.
        """
        return through(self.network, ["encoder", "head"], self.params, self.state, x)


def through(network: Sequential, names: list[str], params: Tree, state: Tree, x: ArrayLike) -> Array:
    """Return what the named parts of a network, one after another, make of x; each row stands alone.

    Raises:
        ValueError: x is not finite, or does not fit the first part.
    """
    y = floats("x", x).astype(next(leaves(params))[1].dtype, copy=False)
    for name in names:
        if name in network.layers:
            layer = network.layers[name]
            y = layer.forward(branch(params, name), branch(state, name), y, training=False).y
    return y


def training_data(name: str, data: ArrayLike, batch_size: int) -> Array:
    """Return finite data of at least one batch, float32 or float64.

    Raises:
        ValueError: not numbers, not finite, without an axis of rows, or fewer rows than a batch.
    """
    array = floats(name, data)
    if array.ndim < 2:
        raise ValueError(f"{name} must have shape (images, ...), got {array.shape}")
    whole("batch_size", batch_size, least=2, most=len(array))
    return array


def schedule(learning_rate: Rate, steps: int) -> Callable[[int], float]:
    """Return the rate of every step from 0 to steps; the last is 0, since no update follows it.

    Raises:
        ValueError: the rate is negative, or steps < 1.
    """
    whole("steps", steps, least=1)
    if not callable(learning_rate):
        not_negative("learning_rate", learning_rate)

    def rate(step: int) -> float:
        if step == steps:
            return 0.0
        value = learning_rate(step) if callable(learning_rate) else learning_rate
        return not_negative("learning_rate", value)

    return rate


def batches(count: int, batch_size: int, steps: int, rng: np.random.Generator) -> Iterator[tuple[int, Rows]]:
    """Yield (step, rows) for steps 0 to `steps`; each epoch is a fresh order of all rows.

    What fills no batch at the end of an epoch is left out, so that no batch holds a row twice.
    """
    order, start = rng.permutation(count), 0
    for step in range(steps + 1):
        if start + batch_size > count:
            order, start = rng.permutation(count), 0
        yield step, order[start : start + batch_size]
        start += batch_size


def view(batch: Array, augment: Augment, rng: np.random.Generator) -> Array:
    """Return one view of each of the batch's rows, in the batch's dtype.

    Raises:
        ValueError: `augment` returns another number of rows, or something not finite.
    """
    drawn = floats("augment's view", augment(batch, rng)).astype(batch.dtype, copy=False)
    if drawn.ndim < 2 or len(drawn) != len(batch):
        raise ValueError(f"augment must return one view of each of {len(batch)} rows, got {drawn.shape}")
    return drawn


def two_views(batch: Array, augment: Augment, rng: np.random.Generator) -> Array:
    """Return both views of a batch, (2N, ...): N first views, then N second ones.

    Raises:
        ValueError: as `view`, or the two differ in shape.
    """
    first, second = view(batch, augment, rng), view(batch, augment, rng)
    if first.shape != second.shape:
        raise ValueError(f"augment must return views of one shape, got {first.shape} and {second.shape}")
    return np.concatenate([first, second])


def check_finite(step: int, *embeddings: Array) -> None:
    """Raise `ValueError` if a training's embeddings are no longer numbers."""
    if not all(all_finite(z) for z in embeddings):
        raise ValueError(
            f"the training diverged: an embedding is not finite at step {step}; lower learning_rate"
        )


def moving_average(target: Tree, params: Tree, momentum: float) -> Tree:
    r"""Return $m\,\xi + (1 - m)\,\theta$: a target that follows the parameters slowly.

    Args:
        target: $\xi$.
        params: $\theta$, with the names of the target.
        momentum: m, from 0 (a copy of $\theta$) to 1 (the target stays).
    """
    return map_tree(lambda xi, theta: momentum * xi + (1.0 - momentum) * theta, target, params)


def parts(**layers: Layer | None) -> Sequential:
    """Return the network of those parts that are given, in their order."""
    return Sequential({name: layer for name, layer in layers.items() if layer is not None})
