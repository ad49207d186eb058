"""What every optimiser is: a pure step from parameters, gradients and memory to the next ones."""

from __future__ import annotations

import math
import numbers
from typing import Any, Protocol

from sim_engine._tree import Tree


class Optimizer(Protocol):
    """Settings alone; the memory (velocities, means of squares) comes and goes with each step.

    Examples:
        >>> import numpy as np
        >>> class SignDescent:
        ...     def init(self, params):
        ...         return None
        ...     def step(self, params, grads, memory, learning_rate):
        ...         moved = {name: w - learning_rate * np.sign(grads[name]) for name, w in params.items()}
        ...         return moved, memory
        >>> after, _ = SignDescent().step({"w": np.array([1.0])}, {"w": np.array([7.0])}, None, 0.25)
        >>> after["w"].item()
        0.75
    """

    def init(self, params: Tree) -> Any:
        """Return the memory before the first step."""
        ...

    def step(self, params: Tree, grads: Tree, memory: Any, learning_rate: float) -> tuple[Tree, Any]:
        """Return the parameters and the memory after one step."""
        ...


def share(name: str, value: float) -> float:
    """Return `value` as a float in [0, 1), or raise `ValueError`."""
    number = not_negative(name, value)
    if number >= 1:
        raise ValueError(f"{name} must be below 1, got {value!r}: the past would never fade")
    return number


def not_negative(name: str, value: float) -> float:
    """Return `value` as a finite float >= 0, or raise `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"{name} must be a number >= 0, got {value!r}")
    number = float(value)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{name} must be finite and >= 0, got {value!r}")
    return number
