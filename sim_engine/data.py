"""Recorded arrays beside a sim, read the same way at build and in the browser."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Recorded", "load"]


class Recorded(Mapping[str, NDArray[Any]]):
    """The arrays of one `data/` folder, each checked against the manifest when it is first read.

    Attributes:
        manifest: the whole manifest (recipe, seeds, versions, device, arrays).
        metrics: the manifest's metrics.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / "manifest.json"
        try:
            self.manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            self._arrays: dict[str, dict[str, Any]] = dict(self.manifest["arrays"])
            for entry in self._arrays.values():
                entry["file"], entry["sha256"]
        except FileNotFoundError:
            raise ValueError(f"{path} is missing; `make data` writes it") from None
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged ({error!r}); `make data` writes it anew") from error
        self._read: dict[str, NDArray[Any]] = {}

    @property
    def metrics(self) -> dict[str, Any]:
        """The numbers that the recipe measured."""
        metrics: dict[str, Any] = self.manifest.get("metrics", {})
        return metrics

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array; a quantised one comes back as float64, `stored * scale + offset`.

        Raises:
            KeyError: the manifest lists no such array.
            ValueError: the file is missing, or is not the one that the manifest describes.
        """
        if name not in self._read:
            if name not in self._arrays:
                raise KeyError(f"{self.folder} has no array {name!r}; it has {', '.join(self._arrays)}")
            self._read[name] = self._load(self._arrays[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def _load(self, entry: dict[str, Any]) -> NDArray[Any]:
        path = self.folder / entry["file"]
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ValueError(f"{path} is missing; `make data` writes it") from None
        got = hashlib.sha256(content).hexdigest()
        if got != entry["sha256"]:
            raise ValueError(
                f"{path} is damaged: its sha256 is {got[:12]}…, the manifest says {entry['sha256'][:12]}…; "
                "restore it or run the recipe again"
            )
        array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
        shape = entry.get("shape")
        if shape is not None and list(array.shape) != list(shape):
            raise ValueError(f"{path} must have shape {shape} by its manifest, got {list(array.shape)}")
        if entry.get("scale") is not None:
            array = array.astype(np.float64) * entry["scale"] + entry.get("offset", 0.0)
        array.setflags(write=False)
        return array


def load(sim_file: str | Path) -> Recorded:
    """Return the recorded arrays of the sim whose file is `sim_file` (pass `__file__`).

    Raises:
        ValueError: there is no manifest, or it cannot be read.
    """
    return Recorded(Path(sim_file).resolve().parent / "data")
