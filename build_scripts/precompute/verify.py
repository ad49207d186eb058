"""Does the committed data still hold, and does its recipe still give it?"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from build_scripts.precompute.export import LIMIT, manifest_text
from build_scripts.precompute.recipe import Recipe, Run, fabric_for
from build_scripts.precompute.whole import write_file
from sim_engine.data import Recorded

__all__ = ["TOLERANCE", "record_small", "small_metrics", "verify"]

# Between two machines: the order of a sum differs, and a short training magnifies it a little.
TOLERANCE = 0.02
# Of pictures by t-SNE: after the small preset's few steps another rounding is another picture.
_PICTURES, _PICTURED = ("picture", "mean_picture"), 1.0
# Between a metric and the arrays that it was computed from: what 16 bits leave.
_ROUNDING = 1e-3

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


def record_small(recipe: Recipe, progress: Progress) -> None:
    """Add the small preset's numbers to the manifest of data that was made before there was one.

    Raises:
        ValueError: there is no data, it is of another version of the recipe, there is no small preset, or
            the manifest holds such numbers: those are `verify`'s to judge.
    """
    if not recipe.folder.is_dir():
        raise ValueError(f"{recipe.name} has no data; run it first")
    told = dict(Recorded(recipe.folder).manifest)
    if told["recipe_sha256"] != recipe.sha256(recipe.preset(told.get("preset", "cpu"))):
        raise ValueError(f"the data of {recipe.name} was made by another version of the recipe; run it again")
    if "small_metrics" in told:
        raise ValueError(
            f"{recipe.name} has its small_metrics; verify compares them, and only a run makes others"
        )
    arrays = told.pop("arrays")
    told |= {"small_metrics": small_metrics(recipe, progress), "arrays": arrays}
    write_file(recipe.folder / "manifest.json", manifest_text(told).encode(), "the manifest")


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
    known = {"cpu": recipe.config, **recipe.presets}
    current = preset in known and told["recipe_sha256"] == recipe.sha256(known[preset])
    if not current:
        yield f"{recipe.name}: the data was made by another version of the recipe; {again}"
    size = sum(path.stat().st_size for path in recipe.folder.iterdir())
    if size > LIMIT:
        yield f"{recipe.name}: the folder holds {size} bytes, the limit is {LIMIT}; record less, and {again}"
    for name, values in arrays.items():
        yield from (f"{recipe.name}: {name} {fault}; {again}" for fault in _range(name, values))
    for name, value in told["metrics"].items():
        if not math.isfinite(value):
            yield f"{recipe.name}: the metric {name} is {value}; {again}"
    if current:
        yield from (f"{recipe.name}: {fault}; {again}" for fault in _metrics(recipe, told["metrics"], arrays))
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


def _metrics(recipe: Recipe, told: Mapping[str, float], arrays: Mapping[str, Any]) -> Iterator[str]:
    """Yield every metric that is not what the arrays say."""
    wanted: dict[str, float] = {}
    for name in told:
        curve, _, end = name.rpartition("_")
        if end in ("first", "last") and curve in arrays and np.ndim(arrays[curve]) == 1:
            wanted[name] = float(arrays[curve][0 if end == "first" else -1])
    if recipe.findings is not None:
        found = dict(recipe.findings(arrays))
        yield from (f"the metric {name} is missing" for name in found if name not in told)
        wanted |= {name: value for name, value in found.items() if name in told}
    for name, value in wanted.items():
        if math.isfinite(told[name]) and not abs(told[name] - value) <= _ROUNDING * max(1.0, abs(value)):
            yield f"the metric {name} is {told[name]}, and the arrays say {value}"


def _compare(
    recipe: Recipe, before: dict[str, float] | None, progress: Progress, again: str
) -> Iterator[str]:
    if before is None:
        yield f"{recipe.name}: the manifest holds no small_metrics to compare with; {again}"
        return
    now = small_metrics(recipe, progress)
    for name in sorted(before.keys() | now.keys()):
        old, new = before.get(name), now.get(name)
        near = _PICTURED if name.startswith(_PICTURES) else TOLERANCE
        if old is None or new is None or not abs(old - new) <= near * max(1.0, abs(old)):
            yield f"{recipe.name}: the small preset gives {name} = {new}, the manifest says {old}; {again}"
