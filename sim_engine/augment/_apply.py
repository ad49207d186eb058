"""Apply steps to images: those at one operation in one round go through it together."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_engine.augment._pixels import View
from sim_engine.augment._step import Step
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

# What a step can name. Their positional parameters may differ from image to image within one call,
# those by keyword alone may not.
OPERATIONS: Mapping[str, Callable[..., View]] = {
    "brightness": brightness,
    "brightness_added": brightness_added,
    "contrast": contrast,
    "contrast_by_channel": contrast_by_channel,
    "cutout": cutout,
    "gaussian_blur": gaussian_blur,
    "grey": grey,
    "horizontal_flip": horizontal_flip,
    "hue": hue,
    "jitter_pytorch": jitter_pytorch,
    "jitter_tensorflow": jitter_tensorflow,
    "noise": noise,
    "resized_crop": resized_crop,
    "rotation": rotation,
    "saturation": saturation,
    "saturation_hsv": saturation_hsv,
    "sobel": sobel,
}


def apply_each(x: NDArray[Any], steps: Sequence[Sequence[Step]]) -> list[NDArray[Any]]:
    """Apply its steps to each image; those that are at one operation in one round go through it together."""
    done = list(x)
    for turn in range(max((len(s) for s in steps), default=0)):
        groups: dict[Any, list[int]] = {}
        for i, own in enumerate(steps):
            if turn < len(own):
                groups.setdefault(_alike(own[turn], done[i].shape), []).append(i)
        for (name, _, shared, each), members in groups.items():
            drawn = {key: np.array([steps[i][turn].parameters[key] for i in members]) for key in each}
            made = OPERATIONS[name](np.stack([done[i] for i in members]), **drawn, **dict(shared))
            for i, one in zip(members, made, strict=True):
                done[i] = one
    return done


def _alike(step: Step, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Return what two images must have in common to go through their next step together."""
    each, shared = _plan(step.name, tuple(step.parameters))
    parameters = step.parameters
    same = tuple(tuple(v) if isinstance(v := parameters[key], list) else v for key in shared)  # as from JSON
    return step.name, shape, tuple(zip(shared, same, strict=True)), each


@functools.cache
def _plan(name: str, given: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of a step's parameters may differ between images of one call, and which may not.

    Raises:
        ValueError: there is no such operation, or these are not its parameters.
    """
    if name not in OPERATIONS:
        raise ValueError(f"a step must be one of {', '.join(OPERATIONS)}, got {name!r}")
    each, settings = _parameters(name)
    known = {*each, *settings}
    missing = [key for key in (*each, *settings) if key not in given and settings.get(key, True)]
    if missing or not set(given) <= known:
        takes, got = (", ".join(sorted(keys)) or "nothing" for keys in (known, given))
        raise ValueError(f"a step {name} takes {takes}, got {got}")
    return each, tuple(key for key in given if key in settings)


def _parameters(name: str) -> tuple[tuple[str, ...], dict[str, bool]]:
    """Return the parameters that may differ between images; the others, and whether they must be given."""
    each, settings = [], {}
    for parameter in list(inspect.signature(OPERATIONS[name]).parameters.values())[1:]:
        if parameter.kind is parameter.KEYWORD_ONLY:
            settings[parameter.name] = parameter.default is parameter.empty
        else:
            each.append(parameter.name)
    return tuple(each), settings
