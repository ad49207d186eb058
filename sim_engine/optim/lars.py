"""LARS: each layer's step is a fixed share of that layer's own size (You et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim_engine._check import Array, positive
from sim_engine._tree import Tree, alike, map_tree
from sim_engine.optim._optimizer import not_negative, share


@dataclass(frozen=True)
class Lars:
    r"""Momentum over gradients that are scaled layer by layer.

    $$\lambda = \eta\,\frac{\lVert w\rVert}{\lVert g\rVert + \beta\lVert w\rVert}, \quad
    v \leftarrow \mu v + \gamma\lambda(g + \beta w), \quad w \leftarrow w - v$$

    Vectors (biases, batch norm's scale and shift) get neither the decay nor the scaling, as in
    SimCLR: for them $\lambda = 1$ and $\beta = 0$. So it is, too, for the scaling of a layer whose
    weights or gradient are 0 throughout. The rate $\gamma$ is inside the sum, as in the paper.
    SimCLR's code divides by $\lVert g + \beta w\rVert$; with its $\beta = 10^{-6}$ the two are
    the same to that order.

    Attributes:
        momentum: $\mu$, in [0, 1).
        weight_decay: $\beta$, >= 0; SimCLR has 1e-6.
        trust: the trust coefficient $\eta$, > 0.

    Raises:
        ValueError: a setting is out of its range.

    Source:
        You, Gitman, Ginsburg (2017), arXiv:1708.03888, eq. 6 and algorithm 1; what is left out, and
        the numbers, as in SimCLR (Chen et al. 2020, arXiv:2002.05709, section 2.2 and its code).

    Examples:
        >>> lars = Lars(momentum=0.0, weight_decay=0.0, trust=0.01)
        >>> params = {"weight": np.array([[3.0, 4.0]]), "bias": np.array([1.0])}
        >>> grads = {"weight": np.array([[0.0, 1e-6]]), "bias": np.array([0.5])}
        >>> after, _ = lars.step(params, grads, lars.init(params), 1.0)
        >>> after["weight"].round(4).tolist(), after["bias"].tolist()
        ([[3.0, 3.95]], [0.5])
    """

    momentum: float = 0.9
    weight_decay: float = 1e-6
    trust: float = 1e-3

    def __post_init__(self) -> None:
        share("momentum", self.momentum)
        not_negative("weight_decay", self.weight_decay)
        positive("trust", self.trust)

    def init(self, params: Tree) -> Tree:
        """Return velocities of 0, in the shapes of the parameters."""
        return map_tree(np.zeros_like, params)

    def step(self, params: Tree, grads: Tree, memory: Tree, learning_rate: float) -> tuple[Tree, Tree]:
        """Return the parameters and velocities after one step of rate `learning_rate` >= 0.

        Raises:
            ValueError: `grads` or `memory` differ from `params` in a name or shape, or the rate is
                negative.
        """
        rate = not_negative("learning_rate", learning_rate)
        alike("grads", grads, params)
        alike("memory", memory, params)

        def velocity(v: Array, g: Array, w: Array) -> Array:
            local = rate
            if w.ndim > 1:
                size_w, size_g = float(np.linalg.norm(w)), float(np.linalg.norm(g))
                if size_w > 0 and size_g > 0:
                    local *= self.trust * size_w / (size_g + self.weight_decay * size_w)
                g = g + self.weight_decay * w
            return self.momentum * v + local * g

        memory = map_tree(velocity, memory, grads, params)
        return map_tree(np.subtract, params, memory), memory
