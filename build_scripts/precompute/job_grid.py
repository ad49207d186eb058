"""Cells of a table that are trained at once: those of SimCLR with the "mlp" encoder, many in every step."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from build_scripts.precompute import datasets
from build_scripts.precompute.job import Job, run_job
from build_scripts.precompute.sweep.cell import Cell
from build_scripts.precompute.sweep.grid import GridConfig, train_grid
from build_scripts.precompute.training import TrainConfig

__all__ = ["AT_ONCE", "groups", "run_at_once"]

# Cells a grid: enough to fill a GPU, and no more than a kill may cost.
AT_ONCE = 128
# Settings in which the cells of a grid may differ: a model's own, and what is measured of it.
_OWN = {"tau", "strength", "seed"}
_MEASURED = {
    *("few_labels", "few_label_draws", "probe", "factors", "view_draws", "neighbours", "measure_tau"),
    *("measure_views", "measure_strength", "hue", "brightness", "shown"),
}
# Settings that all cells of a grid share.
_SHARED = {
    *("dataset", "dataset_options", "train_on", "encoder", "width", "method", "head", "d", "hidden", "views"),
    *("epochs", "batch", "learning_rate", "optimizer", "weight_decay", "warmup_epochs", "device"),
}


def groups(cells: Sequence[Cell], at_once: int = AT_ONCE) -> list[list[Cell]]:
    """Return the cells that can be trained at once, in groups of 2 to `at_once`; the rest is left out."""
    found: dict[str, list[Cell]] = {}
    for cell in cells:
        job = Job.of(cell.settings)
        if _fits(job):
            settings = job.settings()
            found.setdefault(json.dumps({name: settings[name] for name in sorted(_SHARED)}), []).append(cell)
    chunks = [own[i : i + at_once] for own in found.values() for i in range(0, len(own), at_once)]
    return [chunk for chunk in chunks if len(chunk) > 1]


def run_at_once(
    cells: Sequence[Cell], progress: Callable[[str, int, int, float], None], at_once: int = AT_ONCE
) -> Iterator[tuple[Cell, dict[str, NDArray[Any] | float], float]]:
    """Train the cells of each group at once, and yield each cell, its measures and its seconds.

    The numbers are those of `run_job`, but for the order of sums. A cell's seconds are an equal share of
    its group's training, and its own measures.

    Args:
        cells: of jobs; those that fit no group are not yielded.
        progress: as a run's.
        at_once: cells a group, at most.

    Raises:
        Diverged: a loss is NaN or infinite; names the cell.
    """
    for group in groups(cells, at_once):
        began = time.perf_counter()
        job = Job.of(group[0].settings)
        trained = train_grid(
            _images(job),
            [Cell(c.key, {name: c.settings[name] for name in _OWN}) for c in group],
            _config(job),
            device=job.device,
            progress=_named(progress, len(group)),
        )
        share = (time.perf_counter() - began) / len(group)
        for cell, model in zip(group, trained, strict=True):
            began = time.perf_counter()
            records = [{"loss_train": float(loss)} for loss in (np.nan, *model.loss)]
            yield cell, run_job(cell.settings, (model.method, records)), share + time.perf_counter() - began


def _fits(job: Job) -> bool:
    """Whether `train_grid` trains a job as `run_job` would: nothing that it does not know is set."""
    known = _OWN | _MEASURED | _SHARED
    plain = Job()
    if any(getattr(job, f.name) != getattr(plain, f.name) for f in fields(Job) if f.name not in known):
        return False
    return (
        (job.method, job.encoder, job.views) == ("simclr", "mlp", ("digit",))
        and job.head in ("linear", "nonlinear")
        and job.optimizer in ("adamw", "adam", "sgd")
        and job.epochs > 0
    )


def _images(job: Job) -> NDArray[np.uint8]:
    images = datasets.load(job.dataset, **job.dataset_options).train.images
    return images[: job.train_on] if job.train_on else images


def _config(job: Job) -> GridConfig:
    train = TrainConfig(
        epochs=job.epochs,
        batch=min(job.batch, len(_images(job))),
        learning_rate=job.learning_rate,
        optimizer=job.optimizer,
        weight_decay=job.weight_decay,
        warmup_epochs=min(job.warmup_epochs, job.epochs - 1),
    )
    return GridConfig(
        width=job.width or GridConfig().width, d=job.d, head=job.head, hidden=job.hidden, train=train
    )


def _named(
    progress: Callable[[str, int, int, float], None], count: int
) -> Callable[[str, int, int, float], None]:
    def named(_: str, done: int, total: int, loss: float) -> None:
        progress(f"{count} cells at once", done, total, loss)

    return named
