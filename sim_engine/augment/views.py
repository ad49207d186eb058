"""Draw views and say what was drawn; make them again from what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._check import generator
from sim_engine.augment._apply import apply_each
from sim_engine.augment._pixels import Pixels, pixels
from sim_engine.augment._pixels import View as Pictures
from sim_engine.augment._step import Operation, Step


@dataclass(frozen=True)
class View:
    """One view of one image, and how it was made.

    Attributes:
        image: (H', W', 3), dtype of the image.
        steps: what was applied, in order.
    """

    image: Pictures
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Views:
    """One view of each image of a batch, and how each was made.

    Attributes:
        images: (N, H', W', 3), dtype of the images.
        steps: N tuples, what was applied to each image, in order.
    """

    images: Pictures
    steps: tuple[tuple[Step, ...], ...]


def view(image: ArrayLike, operation: Operation, rng: np.random.Generator) -> View:
    r"""Draw one view of one image, $t(x)$ with $t \sim \mathcal T$.

    Between the steps the image stays in floats: a uint8 view is rounded once, at the end.

    Args:
        image: (H, W, 3), uint8 or floats in [0, 1].
        operation: what to draw from, such as `simclr()`.
        rng: where chance comes from; the only one.

    Returns:
        The view and its steps; `replay(image, steps)` gives the view again.

    Raises:
        ValueError: the image is of another dtype, shape or range, or too small for a step; rng
            is not a generator.

    Source:
        Chen et al. (2020), arXiv:2002.05709, algorithm 1.

    Examples:
        >>> from sim_engine.augment import simclr
        >>> image = np.full((20, 20, 3), 128, np.uint8)
        >>> drawn = view(image, simclr(0.5), np.random.default_rng(2))
        >>> [step.name for step in drawn.steps]
        ['resized_crop', 'horizontal_flip', 'jitter_tensorflow']
    """
    p = _one(image)
    generator(rng)
    steps = operation.draw(rng, *p.x.shape[1:3])
    return View(p.restore(apply_each(p.x, [steps])[0][None]), steps)


def views(images: ArrayLike, operation: Operation, rng: np.random.Generator) -> Views:
    r"""Draw one view of each image of a batch, $t_k(x_k)$, each $t_k \sim \mathcal T$ on its own.

    The draws are those of `view` on the first image, then on the second, and so on.

    Args:
        images: (N, H, W, 3), uint8 or floats in [0, 1].
        operation: what to draw from; every view must end up with the same sides.
        rng: where chance comes from; the only one.

    Returns:
        The views and the steps of each.

    Raises:
        ValueError: as `view`, or the views have different sides.

    Source:
        Chen et al. (2020), arXiv:2002.05709, algorithm 1: one of the two draws of each image.

    Examples:
        >>> from sim_engine.augment import RandomResizedCrop
        >>> batch = np.zeros((3, 8, 8, 3), np.uint8)
        >>> drawn = views(batch, RandomResizedCrop(size=(4, 4)), np.random.default_rng(0))
        >>> drawn.images.shape, len(drawn.steps)
        ((3, 4, 4, 3), 3)
    """
    p = _many(images)
    generator(rng)
    n, height, width = p.x.shape[:3]
    steps = tuple(operation.draw(rng, height, width) for _ in range(n))
    return Views(p.restore(_stack(apply_each(p.x, steps))), steps)


def replay(image: ArrayLike, steps: Sequence[Step]) -> Pictures:
    r"""Apply given steps to one image: the view again, or another where a parameter was changed.

    $$x' = t_n(\dots t_2(t_1(x)))$$

    Args:
        image: (H, W, 3), uint8 or floats in [0, 1].
        steps: in order.

    Returns:
        The view, (H', W', 3).

    Raises:
        ValueError: a step's name or parameters are unknown, or as the operation itself.

    Source:
        Derived here: the inverse of `view`'s record; its steps make the view again in the tests.

    Examples:
        >>> image = np.full((1, 1, 3), 100, np.uint8)
        >>> replay(image, [Step("brightness", {"factor": 0.5}), Step("grey")])[0, 0]
        array([50, 50, 50], dtype=uint8)
    """
    p = _one(image)
    return p.restore(apply_each(p.x, [steps])[0][None])


def replay_each(images: ArrayLike, steps: Sequence[Sequence[Step]]) -> Pictures:
    r"""Apply to each image of a batch its own steps, $x'_k = t_{kn}(\dots t_{k1}(x_k))$.

    Args:
        images: (N, H, W, 3), uint8 or floats in [0, 1].
        steps: N sequences of steps.

    Returns:
        The views, (N, H', W', 3).

    Raises:
        ValueError: as `replay`, the counts differ, or the views have different sides.

    Source:
        Derived here: `replay` of each image alone, to which the tests compare it.

    Examples:
        >>> images = np.full((2, 1, 1, 3), 100, np.uint8)
        >>> replay_each(images, [[], [Step("brightness", {"factor": 0.5})]])[:, 0, 0, 0]
        array([100,  50], dtype=uint8)
    """
    p = _many(images)
    if len(steps) != len(p.x):
        raise ValueError(f"steps must be one sequence for each of {len(p.x)} images, got {len(steps)}")
    return p.restore(_stack(apply_each(p.x, steps)))


def _one(image: ArrayLike) -> Pixels:
    p = pixels(image)
    if p.is_batch:
        raise ValueError(
            f"image must be one image (H, W, 3), got {p.x.shape}; views and replay_each take a batch"
        )
    return p


def _many(images: ArrayLike) -> Pixels:
    p = pixels(images)
    if not p.is_batch:
        raise ValueError(f"images must be (N, H, W, 3), got {p.x.shape[1:]}; view and replay take one image")
    return p


def _stack(each: list[NDArray[Any]]) -> NDArray[Any]:
    sides = sorted({one.shape[:2] for one in each})
    if len(sides) > 1:
        raise ValueError(f"the views of a batch must have the same sides, got {sides[0]} and {sides[1]}")
    return np.stack(each)
