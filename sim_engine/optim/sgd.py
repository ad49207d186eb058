"""Stochastic gradient descent with momentum: steps remember where they were going."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim_engine._tree import Tree, alike, map_tree
from sim_engine.optim._optimizer import not_negative, share


@dataclass(frozen=True)
class Sgd:
    r"""Descent along a fading sum of the gradients.

    $$v \leftarrow \mu v + (g + \beta w), \qquad w \leftarrow w - \eta\,v$$

    With Nesterov's variant the step is $\mu v + (g + \beta w)$ with the new v: it looks one step
    ahead. The rate $\eta$ is outside the sum, as in torch: to change it changes the next step at once.

    Attributes:
        momentum: $\mu$, in [0, 1); 0 is plain descent.
        weight_decay: $\beta$, >= 0, of all parameters.
        nesterov: whether to look ahead; needs momentum.

    Raises:
        ValueError: a setting is out of its range.

    Source:
        Polyak (1964), Some methods of speeding up the convergence of iteration methods; Sutskever,
        Martens, Dahl, Hinton (2013), On the importance of initialization and momentum in deep
        learning, eq. 1-4.

    Examples:
        >>> sgd = Sgd(momentum=0.5)
        >>> params, grads = {"w": np.array([1.0])}, {"w": np.array([1.0])}
        >>> params, memory = sgd.step(params, grads, sgd.init(params), 0.25)
        >>> params, memory = sgd.step(params, grads, memory, 0.25)
        >>> params["w"].item(), memory["w"].item()
        (0.375, 1.5)
    """

    momentum: float = 0.9
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        share("momentum", self.momentum)
        not_negative("weight_decay", self.weight_decay)
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum > 0, got 0")

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
        if self.weight_decay:
            grads = map_tree(lambda g, w: g + self.weight_decay * w, grads, params)
        memory = map_tree(lambda v, g: self.momentum * v + g, memory, grads)
        along = map_tree(lambda v, g: self.momentum * v + g, memory, grads) if self.nesterov else memory
        return map_tree(lambda w, v: w - rate * v, params, along), memory
