"""Adam: each parameter's step is measured in its own gradient's size (Kingma & Ba 2015)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim_engine._check import Array, positive
from sim_engine._tree import Tree, alike, map_tree
from sim_engine.optim._optimizer import not_negative, share


class AdamMemory(NamedTuple):
    """What Adam remembers from one step to the next.

    Attributes:
        steps: how many were made.
        mean: fading mean of the gradients, a tree like `params`.
        square: fading mean of their squares, likewise.
    """

    steps: int
    mean: Tree
    square: Tree


@dataclass(frozen=True)
class Adam:
    r"""Descent along the mean gradient over the root of the mean square.

    $$m \leftarrow \beta_1 m + (1-\beta_1)g, \quad v \leftarrow \beta_2 v + (1-\beta_2)g^2, \quad
    w \leftarrow w - \eta\,\frac{m/(1-\beta_1^t)}{\sqrt{v/(1-\beta_2^t)}+\epsilon}$$

    Weight decay $\lambda$ is added to the gradient, $g + \lambda w$; with `decoupled` it shrinks
    the parameters instead, $w \leftarrow (1 - \eta\lambda)w$ before the step, which is AdamW.

    Attributes:
        beta1: share of the past in the mean, in [0, 1).
        beta2: share of the past in the mean square, in [0, 1).
        eps: added to the root, > 0, in the unit of the gradient.
        weight_decay: >= 0, of all parameters.
        decoupled: whether the decay is AdamW's.

    Raises:
        ValueError: a setting is out of its range.

    Source:
        Kingma & Ba (2015), arXiv:1412.6980, algorithm 1; Loshchilov & Hutter (2019),
        arXiv:1711.05101, algorithm 2.

    Examples:
        >>> adam = Adam()
        >>> params, grads = {"w": np.array([1.0, 1.0])}, {"w": np.array([1e-3, -1e3])}
        >>> params, memory = adam.step(params, grads, adam.init(params), 0.1)
        >>> params["w"].round(4).tolist(), memory.steps
        ([0.9, 1.1], 1)
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    decoupled: bool = False

    def __post_init__(self) -> None:
        share("beta1", self.beta1)
        share("beta2", self.beta2)
        positive("eps", self.eps)
        not_negative("weight_decay", self.weight_decay)

    def init(self, params: Tree) -> AdamMemory:
        """Return means of 0, in the shapes of the parameters."""
        return AdamMemory(0, map_tree(np.zeros_like, params), map_tree(np.zeros_like, params))

    def step(
        self, params: Tree, grads: Tree, memory: AdamMemory, learning_rate: float
    ) -> tuple[Tree, AdamMemory]:
        """Return the parameters and means after one step of rate `learning_rate` >= 0.

        Raises:
            ValueError: `grads` or `memory` differ from `params` in a name or shape, or the rate is
                negative.
        """
        rate = not_negative("learning_rate", learning_rate)
        alike("grads", grads, params)
        alike("memory", memory.mean, params)
        if self.weight_decay and not self.decoupled:
            grads = map_tree(lambda g, w: g + self.weight_decay * w, grads, params)
        count = memory.steps + 1
        mean = map_tree(lambda m, g: self.beta1 * m + (1 - self.beta1) * g, memory.mean, grads)
        square = map_tree(lambda v, g: self.beta2 * v + (1 - self.beta2) * (g * g), memory.square, grads)
        # Both corrections as numbers: above and below the fraction were multiplied by the root.
        root = math.sqrt(1 - self.beta2**count)
        stride = rate * root / (1 - self.beta1**count)
        keep = 1 - rate * self.weight_decay if self.decoupled else 1.0

        def moved(w: Array, m: Array, v: Array) -> Array:
            below = np.sqrt(v)
            below += self.eps * root
            change: Array = m / below
            change *= -stride
            change += w if keep == 1 else keep * w
            return change

        return map_tree(moved, params, mean, square), AdamMemory(count, mean, square)
