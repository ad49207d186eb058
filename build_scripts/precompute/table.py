"""Recipes that are tables: one training for every combination of settings and every seed.

A `Part` is a job, the axes along which it is varied, and how many seeds; a recipe has one or several
parts. Its cells are trained by `sweep`, and every measure becomes an array with an axis for each axis
of the table and a last one for the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute import datasets
from build_scripts.precompute.fingerprint import fingerprint, imported, own_and_shared
from build_scripts.precompute.job import CURVES, Job, run_job, training_views
from build_scripts.precompute.job_grid import run_at_once
from build_scripts.precompute.quantise import Exported, quantise
from build_scripts.precompute.recipe import Recipe, Result, Run
from build_scripts.precompute.sweep import Cell, sweep

__all__ = ["Axis", "Part", "Table", "table_recipe"]

UNITS = {"loss": "nats", "loss_train": "nats", "uniformity": "nats"}
Findings = Callable[[Mapping[str, NDArray[np.float64]]], Mapping[str, float]]


@dataclass(frozen=True)
class Axis:
    """One direction of a table.

    Attributes:
        name: of the axis, as the exported array and the manifest call it.
        rows: value to the settings that it changes. A value is a number or a word.
    """

    name: str
    rows: Mapping[Any, Mapping[str, Any]]

    @classmethod
    def over(cls, setting: str, values: tuple[Any, ...], name: str = "") -> Axis:
        """Return the axis that sets one setting of the job to each of the values."""
        return cls(name or setting, {value: {setting: value} for value in values})

    def numbers(self) -> NDArray[np.float64] | None:
        """Return the values, or None where they are words."""
        if any(isinstance(value, str | bool) for value in self.rows):
            return None
        return np.array(list(self.rows), np.float64)


@dataclass(frozen=True)
class Part:
    """A table: the job of every cell, and what is varied.

    Attributes:
        base: settings that all cells share.
        axes: what is varied; the first varies slowest.
        seeds: trainings of each cell that differ in nothing else.
        metrics: names of the measures that are exported.
    """

    base: Job
    axes: tuple[Axis, ...]
    seeds: int
    metrics: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """One length for each axis, and the number of seeds."""
        return (*(len(axis.rows) for axis in self.axes), self.seeds)

    def cells(self, name: str, device: str) -> list[Cell]:
        """Return every cell, in the order of the flattened arrays."""
        cells = []
        for index in np.ndindex(self.shape):
            job = self.base.with_(device=device, seed=self.base.seed + index[-1])
            for axis, row in zip(self.axes, index[:-1], strict=True):
                job = job.with_(**list(axis.rows.values())[row])
            if index[-1]:
                job = job.with_(shown=0)  # the pictures are of the first seed
            key = f"{name}-{'-'.join(map(str, index))}"
            cells.append(Cell(key, job.settings(), shares=training_views(job)))
        return cells

    def as_dict(self) -> dict[str, Any]:
        """Return the table as JSON-ready values."""
        axes = {
            axis.name: {str(value): dict(change) for value, change in axis.rows.items()} for axis in self.axes
        }
        return {
            "base": self.base.settings(),
            "axes": axes,
            "seeds": self.seeds,
            "metrics": list(self.metrics),
        }


@dataclass(frozen=True)
class Table:
    """The settings of a recipe of tables.

    Attributes:
        parts: name to table; the name begins the names of its arrays.
        repeats: seeds of each cell in all parts; 0 for each part's own.
        epochs: of all cells that have epochs; 0 for each part's own.

    Raises:
        ValueError: a number is negative.
    """

    TAKES: ClassVar[tuple[str, ...]] = ("scheduler", "workers")

    parts: Mapping[str, Part] = field(default_factory=dict)
    repeats: int = 0
    epochs: int = 0

    def __post_init__(self) -> None:
        for name in ("repeats", "epochs"):
            value = getattr(self, name)
            if type(value) is not int or value < 0:
                raise ValueError(f"{name} must be a whole number >= 0, got {value!r}")

    def chosen(self) -> dict[str, Part]:
        """Return the parts as they are to be run."""
        parts = {}
        for name, part in self.parts.items():
            base = part.base.with_(epochs=self.epochs) if self.epochs else part.base
            parts[name] = replace(part, base=base, seeds=self.repeats or part.seeds)
        return parts

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values."""
        return {name: part.as_dict() for name, part in self.chosen().items()}

    def seeds(self) -> dict[str, int]:
        """Return the first seed and the number of seeds of each part."""
        return {
            f"{name}_{what}": value
            for name, part in self.chosen().items()
            for what, value in (("first", part.base.seed), ("count", part.seeds))
        }


def table_recipe(
    *,
    name: str,
    about: str,
    slug: str,
    presets: Mapping[str, Table],
    findings: Findings,
    file: str,
) -> Recipe:
    """Return the recipe of a table.

    Args:
        presets: "cpu", "gpu" and "small" to the table of each.
        findings: what the arrays say, as numbers for the manifest; given `part_metric` to the array
            without quantisation, the seed last.
        file: `__file__` of the module that defines it: its hash. What it imports of the pipeline decides
            its numbers too.
    """
    modules, code = own_and_shared(file)

    def run(table: Any, run: Run) -> Result:
        return _run(table, run, findings)

    return Recipe(
        name=name,
        about=about,
        slug=slug,
        dataset={},
        modules=modules,
        code=code,
        run=run,
        config=presets["cpu"],
        presets=dict(presets),
        findings=findings,
    )


def _run(table: Table, run: Run, findings: Findings) -> Result:
    parts = table.chosen()
    cells = {name: part.cells(name, run.device) for name, part in parts.items()}

    def progress(_: str, done: int, total: int) -> None:
        run.progress("cells", done, total, float("nan"))

    def at_once(missing: list[Cell]) -> Iterator[Any]:
        return run_at_once(missing, run.progress)

    scheduler = run.scheduler
    if scheduler == "auto":
        scheduler = "grid" if run.device == "cuda" else "serial"
    found = sweep(
        [cell for own in cells.values() for cell in own],
        run_job,
        run.work / "cells",
        scheduler=scheduler,
        workers=run.workers,
        # A cell is decided by its settings and by what a job runs, not by how a recipe arranges cells.
        fingerprint=fingerprint({}, imported(Path(__file__).with_name("job.py"))),
        progress=progress,
        together=at_once,
    )
    arrays: dict[str, Exported] = {}
    plain: dict[str, NDArray[np.float64]] = {}
    for name, part in parts.items():
        arrays |= _axes(name, part)
        own = [found[cell.key] for cell in cells[name]]
        for metric in part.metrics:
            values = np.array([float(cell[metric]) for cell in own]).reshape(part.shape)
            plain[f"{name}_{metric}"] = values
            about = f"{metric} by {', '.join(axis.name for axis in part.axes)} and seed"
            arrays[f"{name}_{metric}"] = quantise(values, about, UNITS.get(metric, ""))
        for curve in CURVES if part.base.curve else ():
            lines = np.stack([cell[curve] for cell in own])
            about = f"{curve} by {', '.join(axis.name for axis in part.axes)}, seed and epoch, from epoch 0"
            unit = UNITS.get(curve.removeprefix("curve_"), "")
            arrays[f"{name}_{curve}"] = quantise(lines.reshape(*part.shape, -1), about, unit)
        if part.base.shown:
            first = [own[i]["z"] for i in range(0, len(own), part.seeds)]
            z = np.stack(first).reshape(*part.shape[:-1], *first[0].shape)
            arrays[f"{name}_z"] = quantise(z, "z of the first test images, of the first seed")
            # To colour the points by; no training has seen them.
            shown = datasets.load(part.base.dataset, **part.base.dataset_options).test[: part.base.shown]
            if shown.labels is not None:
                arrays[f"{name}_label"] = Exported(shown.labels, "labels of the first test images")
            for factor in (known for known in part.base.factors if known in shown.factors):
                unit = "degrees" if factor in datasets.ANGLES else ""
                stored = Exported(shown.factors[factor], f"{factor} of the first test images", unit)
                arrays[f"{name}_shown_{factor}"] = stored
    # Parts on one dataset name it once.
    sets = {(base.dataset, str(base.dataset_options)): base for base in (p.base for p in parts.values())}
    provenance = [datasets.load(job.dataset, **job.dataset_options).provenance() for job in sets.values()]
    return Result(
        arrays,
        dict(findings(plain)),
        sum(found.seconds.values()),
        dataset=provenance[0] if len(provenance) == 1 else {"parts": provenance},
    )


def _axes(name: str, part: Part) -> dict[str, Exported]:
    numbers = {f"{name}_{axis.name}": axis.numbers() for axis in part.axes}
    return {
        key: Exported(values, f"values of the axis {key.removeprefix(name + '_')}")
        for key, values in numbers.items()
        if values is not None
    }
