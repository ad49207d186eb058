"""The recipes of the digits with a small preset: outside the hash, since it decides no data."""

from __future__ import annotations

from dataclasses import replace

from build_scripts.precompute import digits_negatives, digits_trajectory
from build_scripts.precompute.config import SimclrConfig

__all__ = ["NEGATIVES", "TRAJECTORY"]

# Every part of the training, in seconds.
_SMALL = SimclrConfig(
    epochs=4,
    batch=60,
    warmup_epochs=1,
    width=8,
    features=32,
    hidden=32,
    held_out=120,
    view_draws=1,
    few_label_draws=2,
)
_TWICE = digits_trajectory.TrajectoryConfig(**vars(_SMALL), repeats=2)
TRAJECTORY = replace(digits_trajectory.RECIPE, presets={"small": _TWICE})
NEGATIVES = replace(digits_negatives.RECIPE, presets={"small": replace(_SMALL, dimensions=(3,))})
