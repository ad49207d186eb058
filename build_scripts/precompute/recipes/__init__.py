"""Every recipe, by name: one line each."""

from __future__ import annotations

from build_scripts.precompute.recipe import Recipe
from build_scripts.precompute.recipes import (
    augmentation_ablation,
    batch_and_epochs,
    bugs,
    collapse,
    digits,
    label_efficiency,
    loss_surface,
    method_zoo,
    moco_queue,
    projection_head,
    shortcut,
    stl10_report,
    temperature,
    trajectory,
)

__all__ = ["RECIPES"]

_ALL = (
    digits.TRAJECTORY,
    digits.NEGATIVES,
    loss_surface.RECIPE,
    augmentation_ablation.RECIPE,
    projection_head.RECIPE,
    batch_and_epochs.RECIPE,
    temperature.RECIPE,
    label_efficiency.RECIPE,
    collapse.RECIPE,
    moco_queue.RECIPE,
    method_zoo.RECIPE,
    bugs.RECIPE,
    shortcut.RECIPE,
    trajectory.PHOTOS,
    trajectory.FACTORS,
    stl10_report.RECIPE,
)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}
