"""Compose operations, each with its probability; draw views and say what was drawn; replay them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine.augment._pixels import Pixels, in_range, pixels
from sim_engine.augment._pixels import View as Pictures
from sim_engine.augment._step import Operation, Step
from sim_engine.augment.additive import brightness_added, contrast_by_channel, saturation_hsv
from sim_engine.augment.blur import gaussian_blur
from sim_engine.augment.colour import brightness, contrast, grey, saturation
from sim_engine.augment.crop import resized_crop
from sim_engine.augment.cutout import cutout
from sim_engine.augment.flip import horizontal_flip
from sim_engine.augment.hue import hue
from sim_engine.augment.jitter import jitter_pytorch, jitter_tensorflow
from sim_engine.augment.noise import noise
from sim_engine.augment.rotation import rotation
from sim_engine.augment.sobel import sobel

# Each operation, and which of its parameters may differ from image to image within one call.
OPERATIONS: Mapping[str, tuple[Callable[..., Pictures], frozenset[str]]] = {
    "brightness": (brightness, frozenset({"factor"})),
    "brightness_added": (brightness_added, frozenset({"delta"})),
    "contrast": (contrast, frozenset({"factor"})),
    "contrast_by_channel": (contrast_by_channel, frozenset({"factor"})),
    "cutout": (cutout, frozenset({"top", "left", "height", "width"})),
    "gaussian_blur": (gaussian_blur, frozenset({"sigma"})),
    "grey": (grey, frozenset()),
    "horizontal_flip": (horizontal_flip, frozenset()),
    "hue": (hue, frozenset({"shift"})),
    "jitter_pytorch": (jitter_pytorch, frozenset({"brightness", "contrast", "saturation", "shift"})),
    "jitter_tensorflow": (jitter_tensorflow, frozenset({"delta", "contrast", "saturation", "shift"})),
    "noise": (noise, frozenset({"sigma", "seed"})),
    "resized_crop": (resized_crop, frozenset({"top", "left", "height", "width"})),
    "rotation": (rotation, frozenset({"degrees"})),
    "saturation": (saturation, frozenset({"factor"})),
    "saturation_hsv": (saturation_hsv, frozenset({"factor"})),
    "sobel": (sobel, frozenset()),
}


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


@dataclass(frozen=True)
class Compose:
    """Operations in order, each with a probability; made by `compose`.

    Attributes:
        stages: pairs of an operation and its probability.
    """

    stages: tuple[tuple[Operation, float], ...]

    def draw(self, rng: np.random.Generator, height: int, width: int) -> tuple[Step, ...]:
        """The steps of the operations that chance chose; one of probability 1 uses no chance to be chosen."""
        steps: list[Step] = []
        for operation, p in self.stages:
            if p < 1.0 and rng.random() >= p:
                continue
            for step in operation.draw(rng, height, width):
                steps.append(step)
                height, width = step.parameters.get("size", (height, width))
        return tuple(steps)


def compose(*stages: Operation | tuple[Operation, float]) -> Compose:
    """One operation out of several, applied in order, each always or with its probability.

    Args:
        stages: operations, or pairs (operation, probability in [0, 1]).

    Returns:
        An operation, which can itself be a stage: its probability then covers it as a whole.

    Raises:
        ValueError: a stage has no `draw`, or a probability lies outside [0, 1].

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


def view(image: ArrayLike, operation: Operation, rng: np.random.Generator) -> View:
    """Draw one view of one image.

    Between the steps the image stays in floats: a uint8 view is rounded once, at the end.

    Args:
        image: (H, W, 3), uint8 or floats in [0, 1].
        operation: what to draw from, such as `simclr()`.
        rng: where chance comes from; the only one.

    Returns:
        The view and its steps; `replay(image, steps)` gives the view again.

    Raises:
        ValueError: the image is of another dtype, shape or range, or too small for a step.

    Examples:
        >>> from sim_engine.augment import simclr
        >>> image = np.full((20, 20, 3), 128, np.uint8)
        >>> drawn = view(image, simclr(0.5), np.random.default_rng(2))
        >>> [step.name for step in drawn.steps]
        ['resized_crop', 'horizontal_flip', 'jitter_tensorflow']
    """
    p = _one(image)
    steps = operation.draw(rng, *p.x.shape[1:3])
    return View(p.restore(_apply_each(p.x, [steps])[0][None]), steps)


def views(images: ArrayLike, operation: Operation, rng: np.random.Generator) -> Views:
    """Draw one view of each image of a batch, each with parameters of its own.

    The draws are those of `view` on the first image, then on the second, and so on.

    Args:
        images: (N, H, W, 3), uint8 or floats in [0, 1].
        operation: what to draw from; every view must end up with the same sides.
        rng: where chance comes from; the only one.

    Returns:
        The views and the steps of each.

    Raises:
        ValueError: as `view`, or the views have different sides.

    Examples:
        >>> from sim_engine.augment import RandomResizedCrop
        >>> batch = np.zeros((3, 8, 8, 3), np.uint8)
        >>> drawn = views(batch, RandomResizedCrop(size=(4, 4)), np.random.default_rng(0))
        >>> drawn.images.shape, len(drawn.steps)
        ((3, 4, 4, 3), 3)
    """
    p = _many(images)
    n, height, width = p.x.shape[:3]
    steps = tuple(operation.draw(rng, height, width) for _ in range(n))
    return Views(p.restore(_stack(_apply_each(p.x, steps))), steps)


def replay(image: ArrayLike, steps: Sequence[Step]) -> Pictures:
    """Apply given steps to one image: the view again, or another where a parameter was changed.

    Args:
        image: (H, W, 3), uint8 or floats in [0, 1].
        steps: in order.

    Returns:
        The view, (H', W', 3).

    Raises:
        ValueError: a step's name or parameters are unknown, or as the operation itself.

    Examples:
        >>> image = np.full((1, 1, 3), 100, np.uint8)
        >>> replay(image, [Step("brightness", {"factor": 0.5}), Step("grey")])[0, 0]
        array([50, 50, 50], dtype=uint8)
    """
    p = _one(image)
    return p.restore(_apply_each(p.x, [steps])[0][None])


def replay_each(images: ArrayLike, steps: Sequence[Sequence[Step]]) -> Pictures:
    """Apply to each image of a batch its own steps.

    Args:
        images: (N, H, W, 3), uint8 or floats in [0, 1].
        steps: N sequences of steps.

    Returns:
        The views, (N, H', W', 3).

    Raises:
        ValueError: as `replay`, the counts differ, or the views have different sides.

    Examples:
        >>> images = np.full((2, 1, 1, 3), 100, np.uint8)
        >>> replay_each(images, [[], [Step("brightness", {"factor": 0.5})]])[:, 0, 0, 0]
        array([100,  50], dtype=uint8)
    """
    p = _many(images)
    if len(steps) != len(p.x):
        raise ValueError(f"steps must be one sequence for each of {len(p.x)} images, got {len(steps)}")
    return p.restore(_stack(_apply_each(p.x, steps)))


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


def _apply_each(x: NDArray[Any], steps: Sequence[Sequence[Step]]) -> list[NDArray[Any]]:
    """Apply its steps to each image; those that are at one operation in one round go through it together."""
    done = list(x)
    for turn in range(max((len(s) for s in steps), default=0)):
        groups: dict[Any, list[int]] = {}
        for i, own in enumerate(steps):
            if turn < len(own):
                groups.setdefault(_alike(own[turn], done[i].shape), []).append(i)
        for (name, _, shared, each), members in groups.items():
            drawn = {key: np.array([steps[i][turn].parameters[key] for i in members]) for key in each}
            made = OPERATIONS[name][0](np.stack([done[i] for i in members]), **drawn, **dict(shared))
            for i, one in zip(members, made, strict=True):
                done[i] = one
    return done


def _alike(step: Step, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return what two images must have in common to go through their next step together."""
    if step.name not in OPERATIONS:
        raise ValueError(f"a step must be one of {', '.join(OPERATIONS)}, got {step.name!r}")
    varies = OPERATIONS[step.name][1]
    given = set(step.parameters)
    shared = tuple(
        (key, tuple(value) if isinstance(value, list) else value)  # JSON has no tuples
        for key, value in step.parameters.items()
        if key not in varies
    )
    return step.name, shape, shared, tuple(sorted(given & varies))


def _stack(each: list[NDArray[Any]]) -> NDArray[Any]:
    sides = sorted({one.shape[:2] for one in each})
    if len(sides) > 1:
        raise ValueError(f"the views of a batch must have the same sides, got {sides[0]} and {sides[1]}")
    return np.stack(each)
