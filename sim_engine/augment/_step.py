"""What was drawn: a step names an operation and its parameters, so that a page can show and replay it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from sim_engine._check import generator
from sim_engine.augment._pixels import in_range


@dataclass(frozen=True)
class Step:
    """One operation with the parameters that were drawn for it.

    Attributes:
        name: public name of the deterministic function, such as "hue".
        parameters: its keyword arguments, plain Python values.

    Examples:
        >>> Step("hue", {"shift": 0.25})
        Step(name='hue', parameters={'shift': 0.25})
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Operation(Protocol):
    """Anything with a `draw`: chance in, steps out; it never sees the pixels.

    Examples:
        >>> from sim_engine.augment import view
        >>> class Halve:
        ...     def draw(self, rng, height, width):
        ...         return (Step("brightness", {"factor": 0.5}),)
        >>> view(np.full((1, 1, 3), 100, np.uint8), Halve(), np.random.default_rng(0)).image
        array([[[50, 50, 50]]], dtype=uint8)
    """

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """Draw the parameters for one image.

        Args:
            rng: where chance comes from.
            height, width: the image's sides when this operation's turn comes, in pixels.

        Returns:
            The steps to apply, in order; none where chance skips the operation.
        """


@dataclass(frozen=True)
class Fixed:
    """An operation without chance: always the same step.

    Attributes:
        name: public name of the deterministic function.
        parameters: its keyword arguments.

    Examples:
        >>> Fixed("grey").draw(np.random.default_rng(0), 8, 8)
        (Step(name='grey', parameters={}),)
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """The one step, whatever chance says."""
        return (Step(self.name, dict(self.parameters)),)


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """The number that `rng.uniform(low, high)` draws, several times as fast: that one prepares for arrays."""
    return low + (high - low) * rng.random()


def uniform_factor(rng: np.random.Generator, most: float) -> float:
    """A factor from U(max(0, 1 - most), 1 + most)."""
    return uniform(rng, max(0.0, 1.0 - most), 1.0 + most)


@dataclass(frozen=True)
class FactorDraw:
    """Base of the draws of one factor, uniform on [max(0, 1 - most), 1 + most].

    Attributes:
        most: how far the factor may lie from 1, >= 0; 0 changes nothing.

    Raises:
        ValueError: most < 0 or not finite.
    """

    most: float = 0.8
    _name = ""

    def __post_init__(self) -> None:
        in_range("most", self.most, 0.0, 100.0)

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """One step with its factor.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        return (Step(self._name, {"factor": uniform_factor(rng, self.most)}),)
