"""How many cells a minute a sweep makes: one after another, by threads, by Dask's processes.

A cell is SimCLR on the digits with the "mlp" encoder for a few epochs. Runs as a process of its own,
`python -m build_scripts.bench.sweep`, since the libraries read how many threads they may use as they
are imported: here one a cell.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from build_scripts.bench.browser import BenchError
from build_scripts.bench.report import Row, ratio_row

__all__ = ["cell", "measure"]

WORKERS = 2
CELLS = 6
EPOCHS = 10
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def measure(rounds: int) -> list[Row]:
    """Time the same cells in the three ways, in turn, round after round, at most three rounds.

    Raises:
        BenchError: the process fails, which it does too when two ways differ in a number.
    """
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1")}
    command = [sys.executable, "-m", "build_scripts.bench.sweep", str(min(rounds, 3))]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise BenchError("the sweep's measurement failed; what it printed stands above")
    found: dict[str, list[float]] = json.loads(done.stdout)
    return _rows(found, len(os.sched_getaffinity(0)))


def _rows(found: Mapping[str, list[float]], cores: int) -> list[Row]:
    a_minute = {name: [60 * CELLS / s for s in found[name]] for name in ("serial", "threads", "dask")}
    what = f"sweep, MLP SimCLR on digits, {EPOCHS} epochs a cell, {cores} cores: "
    unit = "cells a minute"
    return [
        ratio_row(
            f"{what}{WORKERS} threads", a_minute["threads"], a_minute["serial"], unit=unit, name="serial"
        ),
        ratio_row(
            f"{what}Dask, {WORKERS} processes", a_minute["dask"], a_minute["serial"], unit=unit, name="serial"
        ),
        Row(
            f"sweep, Dask's {WORKERS} processes, from nothing to one epoch trained in each",
            f"{median(found['start']):.1f} s",
            "paid once a sweep",
            spread=f"{min(found['start']):.1f}–{max(found['start']):.1f} of {len(found['start'])}",
        ),
    ]


def cell(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Train one model; return its loss at each epoch in nats."""
    return _train(_make(settings))


def _make(settings: Mapping[str, Any]) -> Any:
    """Draw the first weights, from torch's global generator: not in a thread."""
    from build_scripts.precompute.sweep import Cell
    from build_scripts.precompute.sweep.grid import GridConfig, alone
    from build_scripts.precompute.training import TrainConfig

    config = GridConfig(train=TrainConfig(epochs=settings["epochs"], batch=256, warmup_epochs=1))
    own = Cell("cell", {name: settings[name] for name in ("tau", "strength", "seed")})
    return alone(own, config, channels=1, size=8)


def _train(made: Any) -> dict[str, Any]:
    import numpy as np

    from build_scripts.precompute import datasets
    from build_scripts.precompute.training import fabric_for, fit

    method, views, train = made
    records = fit(method, datasets.load("digits").train.images, views, train, fabric_for("cpu"))
    return {"loss": np.array([record["loss"] for record in records[1:]])}


def ready(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Do once what a worker's first cell does: read torch, the pipeline and the data."""
    time.sleep(0.5)  # so that the other worker takes the other cell
    return cell(settings)


def _times(rounds: int) -> dict[str, list[float]]:
    import numpy as np

    from build_scripts.bench import sweep as module  # by its name, not as __main__, for the workers
    from build_scripts.precompute.sweep import Cell, sweep
    from build_scripts.precompute.sweep.cluster import processes

    settings = [
        {"tau": tau, "strength": strength, "seed": 0, "epochs": EPOCHS}
        for strength in (0.25, 0.5)
        for tau in (0.1, 0.5, 1.0)
    ]
    cells = [Cell(str(i), one) for i, one in enumerate(settings)]
    both = [Cell(str(i), {**settings[i], "epochs": 1}) for i in range(WORKERS)]
    found: dict[str, list[float]] = {"serial": [], "threads": [], "dask": [], "start": []}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        sweep(cells[:1], module.cell, place / "first", fingerprint="bench")  # what is read once, is read
        for turn in range(rounds):
            began = time.perf_counter()
            with processes(WORKERS) as cluster:
                address = cluster.scheduler_address
                sweep(both, module.ready, place / f"ready{turn}", fingerprint="bench", scheduler=address)
                found["start"].append(time.perf_counter() - began)
                began = time.perf_counter()
                by_dask = sweep(
                    cells, module.cell, place / f"dask{turn}", fingerprint="bench", scheduler=address
                )
                found["dask"].append(time.perf_counter() - began)
            began = time.perf_counter()
            in_turn = sweep(cells, module.cell, place / f"serial{turn}", fingerprint="bench")
            found["serial"].append(time.perf_counter() - began)
            began = time.perf_counter()
            with ThreadPoolExecutor(WORKERS) as pool:
                by_threads = list(pool.map(_train, [_make(one) for one in settings]))
            found["threads"].append(time.perf_counter() - began)
            for i, one in enumerate(cells):
                losses = [arrays["loss"] for arrays in (in_turn[one.key], by_dask[one.key], by_threads[i])]
                if not all(np.array_equal(losses[0], other) for other in losses[1:]):
                    raise BenchError(f"{one.text}: the losses differ: {losses}")
    return found


if __name__ == "__main__":
    try:
        json.dump(_times(int(sys.argv[1])), sys.stdout)
    except BenchError as error:
        sys.exit(f"error: {error}")
