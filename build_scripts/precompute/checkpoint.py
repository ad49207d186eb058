"""Keeps a training between epochs, so that a killed run goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor

from build_scripts.precompute.simclr import Training

__all__ = ["restore", "save"]

Records = list[dict[str, Tensor]]


def save(path: Path, fabric: Fabric, training: Training, records: Records, seconds: float) -> None:
    """Write training and records aside, then rename: `path` is always a whole checkpoint or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    fabric.save(aside, training.state() | {"records": records, "seconds": seconds})
    os.replace(aside, path)


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
