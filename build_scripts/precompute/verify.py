"""Does the committed data still hold, and does its recipe still give it?"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from build_scripts.precompute.export import LIMIT
from build_scripts.precompute.recipe import Recipe, Run, fabric_for
from sim_engine.data import Recorded

__all__ = ["TOLERANCE", "small_metrics", "verify"]

# Between two machines: the order of a sum differs, and a short training magnifies it a little.
TOLERANCE = 0.02

Progress = Callable[[str, int, int, float], None]


def small_metrics(recipe: Recipe, progress: Progress) -> dict[str, float]:
    """Run the recipe's small preset on the CPU, and return its metrics and the mean of each array."""
    with tempfile.TemporaryDirectory() as folder:

        def named(what: str, done: int, total: int, loss: float) -> None:
            progress(f"{recipe.name} small: {what}", done, total, loss)

        result = recipe.run(recipe.preset("small"), Run(fabric_for("cpu"), Path(folder), named))
    means = {}
    for name, stored in result.arrays.items():
        if stored.scale is not None and stored.offset is not None:
            means[f"mean_{name}"] = float(stored.array.mean()) * stored.scale + stored.offset
    return {**result.metrics, **means}


def verify(recipe: Recipe, progress: Progress, *, train: bool = True) -> Iterator[str]:
    """Yield every fault of a recipe's data folder, with its remedy.

    Args:
        progress: as a run's.
        train: also run the small preset and compare it with what the manifest recorded.
    """
    again = f"run `python -m build_scripts.precompute run {recipe.name}` and commit what it writes"
    if not recipe.folder.is_dir():
        yield f"{recipe.name}: {recipe.folder.name} has no data; {again}"
        return
    try:
        recorded = Recorded(recipe.folder)
        arrays = {name: recorded[name] for name in recorded}
    except ValueError as error:
        yield f"{recipe.name}: {error}; {again}"
        return
    told = recorded.manifest
    preset = told.get("preset", "cpu")
    if told["recipe_sha256"] != recipe.sha256(recipe.preset(preset)):
        yield f"{recipe.name}: the data was made by another version of the recipe; {again}"
    size = sum(path.stat().st_size for path in recipe.folder.iterdir())
    if size > LIMIT:
        yield f"{recipe.name}: the folder holds {size} bytes, the limit is {LIMIT}; record less, and {again}"
    for name, values in arrays.items():
        yield from (f"{recipe.name}: {name} {fault}; {again}" for fault in _range(name, values))
    for name, value in told["metrics"].items():
        if not math.isfinite(value):
            yield f"{recipe.name}: the metric {name} is {value}; {again}"
    if train and "small" in recipe.presets:
        yield from _compare(recipe, told.get("small_metrics"), progress, again)


def _range(name: str, values: Any) -> Iterator[str]:
    if not np.isfinite(values).all():
        yield "holds NaN or infinity"
    share = any(f"_{word}" in f"_{name}" for word in ("top1", "top5", "knn", "few", "probe"))
    if share and (values.min() < -1e-3 or values.max() > 1 + 1e-3):
        yield f"is a share and lies in [{values.min():.3g}, {values.max():.3g}]"
    if "uniformity" in name and values.max() > 1e-3:
        yield f"is at most 0 by its definition, and reaches {values.max():.3g}"


def _compare(
    recipe: Recipe, before: dict[str, float] | None, progress: Progress, again: str
) -> Iterator[str]:
    if before is None:
        yield f"{recipe.name}: the manifest holds no small_metrics to compare with; {again}"
        return
    now = small_metrics(recipe, progress)
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        if old is None or new is None or abs(old - new) > TOLERANCE * max(1.0, abs(old)):
            yield f"{recipe.name}: the small preset gives {name} = {new}, the manifest says {old}; {again}"
