"""Keeps a training between epochs, so that a killed run goes on where it was."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from build_scripts.precompute.simclr import Training
from build_scripts.precompute.whole import write_file

__all__ = ["restore", "save"]

Records = list[dict[str, Tensor]]


def save(path: Path, fabric: Fabric, training: Training, records: Records, seconds: float) -> None:
    """Write training and records aside, then rename: `path` is always a whole checkpoint or none.

    Raises:
        NotWritten: the disk is full or refuses; the checkpoint of the epoch before stays.
    """
    model, optimizer = training.model.state_dict(), training.optimizer.state_dict()
    state = training.state() | {"model": model, "optimizer": optimizer}
    if fabric.is_global_zero:
        buffer = io.BytesIO()
        torch.save(state | {"records": records, "seconds": seconds}, buffer)
        write_file(path, buffer.getbuffer(), "the checkpoint")


def restore(path: Path, fabric: Fabric, training: Training) -> tuple[Records, float]:
    """Fill `training` from `path`; return the records so far and the seconds they took.

    Raises:
        ValueError: the file is damaged, or its parts do not belong together.
    """
    state: dict[str, Any] = {"model": training.model, "optimizer": training.optimizer}
    try:
        rest = fabric.load(path, state, weights_only=True)
        training.epoch, records, seconds = rest["epoch"], rest["records"], float(rest["seconds"])
    except Exception as error:
        raise ValueError(f"{path} cannot be read ({error}); --fresh starts anew") from error
    if len(records) != training.epoch + 1:
        raise ValueError(
            f"{path} holds {len(records)} records of {training.epoch + 1} epochs; --fresh starts anew"
        )
    return records, seconds
