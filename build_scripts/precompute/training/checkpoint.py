"""Keeps a training between epochs, so that a killed run goes on where it was."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from build_scripts.precompute.whole import NotWritten, write_file

__all__ = ["Kept", "restore", "save"]

_ARRAY = "numpy array"


@dataclass
class Kept:
    """What there is besides weights and optimiser.

    Attributes:
        records: what was recorded, epoch 0 first.
        settings: of the run; a checkpoint of other settings is refused.
    """

    settings: Mapping[str, Any]
    records: list[dict[str, Any]] = field(default_factory=list)


def save(path: Path, fabric: Fabric, method: nn.Module, optimizer: Any, kept: Kept) -> None:
    """Write aside, then rename: `path` is always a whole checkpoint or none.

    Raises:
        NotWritten: the disk is full or refuses; the checkpoint of the epoch before stays.
    """
    # Every process: a strategy may gather parts of the state.
    state = {
        "method": method.state_dict(),
        "optimizer": None if optimizer is None else optimizer.state_dict(),
        "settings": dict(kept.settings),
        "records": [_plain(record) for record in kept.records],
    }
    refused: tuple[int | None, str | None] | None = None
    if fabric.is_global_zero:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        try:
            write_file(path, buffer.getbuffer(), "the checkpoint")
        except NotWritten as error:
            refused = (error.errno, error.strerror)
    # All processes stop with the first, which else would be waited for.
    if (refused := fabric.broadcast(refused)) is not None:
        raise NotWritten(*refused)


def restore(path: Path, fabric: Fabric, method: nn.Module, optimizer: Any, kept: Kept) -> None:
    """Fill method, optimiser and `kept.records` from `path`.

    Raises:
        ValueError: the file is damaged, or of a run with other settings.
    """
    try:
        raw = torch.load(path, map_location="cpu", weights_only=True)
        settings, records = raw["settings"], [_restored(record) for record in raw["records"]]
    except Exception as error:
        raise ValueError(f"{path} cannot be read ({error}); remove it to start anew") from error
    other = sorted(
        name for name in {*settings, *kept.settings} if settings.get(name) != kept.settings.get(name)
    )
    if other:
        told = ", ".join(f"{name} {settings.get(name)!r}, not {kept.settings.get(name)!r}" for name in other)
        raise ValueError(
            f"{path} is of a run with other settings ({told}); name another folder, or remove it"
        )
    try:
        fabric.load(path, {"method": method, "optimizer": optimizer}, strict=True, weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} does not fit this method ({error}); remove it to start anew") from error
    kept.records[:] = records


def _plain(value: Any) -> Any:
    """Return a record as what `torch.load` reads without running code: tensors, numbers, words."""
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        return {_ARRAY: torch.from_numpy(value.copy())}
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"a record must hold numbers, words, arrays and tensors, got {type(value).__name__}")


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {_ARRAY}:
            array = value[_ARRAY].numpy()
            return array if array.ndim else array[()]
        return {name: _restored(inner) for name, inner in value.items()}
    return [_restored(inner) for inner in value] if isinstance(value, list) else value
