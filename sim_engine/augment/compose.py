"""Compose operations, each with its probability, into one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim_engine._check import generator
from sim_engine.augment._pixels import in_range
from sim_engine.augment._step import Operation, Step


@dataclass(frozen=True)
class Compose:
    """Operations in order, each with a probability; made by `compose`.

    Attributes:
        stages: pairs of an operation and its probability.
    """

    stages: tuple[tuple[Operation, float], ...]

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """The steps of the operations that chance chose; one of probability 1 uses no chance to be chosen.

        Raises:
            ValueError: rng is no generator.
        """
        generator(rng)
        steps: list[Step] = []
        for operation, p in self.stages:
            if p < 1.0 and rng.random() >= p:
                continue
            for step in operation.draw(rng, height, width):
                steps.append(step)
                height, width = step.parameters.get("size", (height, width))
        return tuple(steps)


def compose(*stages: Operation | tuple[Operation, float]) -> Compose:
    r"""One operation out of several, applied in order, each always or with its probability.

    $$t = t_n \circ \dots \circ t_2 \circ t_1$$

    where each stage $t_i$ is the identity with probability $1 - p_i$, independently of the others.

    Args:
        stages: operations, or pairs (operation, probability in [0, 1]).

    Returns:
        An operation, which can itself be a stage: its probability then covers it as a whole.

    Raises:
        ValueError: a stage has no `draw`, or a probability lies outside [0, 1].

    Source:
        Chen et al. (2020), arXiv:2002.05709, appendix A: random_apply of the TensorFlow listing, RandomApply
        and Compose of the PyTorch one.

    Examples:
        >>> from sim_engine.augment import Fixed
        >>> compose(Fixed("grey"), (Fixed("sobel"), 0.0)).draw(np.random.default_rng(0), 8, 8)
        (Step(name='grey', parameters={}),)
    """
    pairs = []
    for i, stage in enumerate(stages):
        operation, p = stage if isinstance(stage, tuple) and len(stage) == 2 else (stage, 1.0)
        if isinstance(operation, tuple) or not callable(getattr(operation, "draw", None)):
            raise ValueError(f"stage {i} must be an operation or (operation, probability), got {stage!r}")
        pairs.append((operation, in_range(f"the probability of stage {i}", p, 0.0, 1.0)))
    return Compose(tuple(pairs))
