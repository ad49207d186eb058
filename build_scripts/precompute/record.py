"""A training from its last checkpoint to its end, with every epoch measured."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from build_scripts.precompute import checkpoint
from build_scripts.precompute.config import SimclrConfig
from build_scripts.precompute.evaluate import as_tensor
from build_scripts.precompute.recipe import Run
from build_scripts.precompute.simclr import Epoch, Training, fit

__all__ = ["record"]


def record(
    dimension: int,
    images: NDArray[np.uint8],
    measure: Callable[[Epoch], dict[str, Tensor]],
    config: SimclrConfig,
    run: Run,
) -> tuple[list[dict[str, Tensor]], float]:
    """Train with z of one dimension, from the checkpoint where there is one.

    Args:
        dimension: length of z.
        images: of the training, (n, 8, 8), 0 to 16.
        measure: what to keep of an epoch; it must leave the model as it is.
        config: the settings.
        run: device, folder of the checkpoints, progress.

    Returns:
        What `measure` gave at every epoch from 0, and the seconds of work, those of a killed run included.

    Raises:
        Diverged: the loss is NaN or infinite.
        ValueError: the checkpoint cannot be read.
    """
    path = run.work / f"z{dimension}.ckpt"
    training = Training.start(dimension, config, run.fabric)
    records: list[dict[str, Tensor]] = []
    before = 0.0
    if path.exists():
        records, before = checkpoint.restore(path, run.fabric, training)
    steps = len(images) // config.batch
    done, total = len(records) * steps, (config.epochs + 1) * steps
    began = time.perf_counter()

    def on_step(loss: float) -> None:
        nonlocal done
        done += 1
        run.progress(f"z in {dimension}-D", done, total, loss)

    for epoch in fit(as_tensor(images, run.fabric.device), training, config, run.fabric, on_step):
        records.append(measure(epoch))
        checkpoint.save(path, run.fabric, training, records, before + time.perf_counter() - began)
    return records, before + time.perf_counter() - began
