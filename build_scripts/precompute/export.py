"""Writes a data folder: arrays, and a manifest that says where they come from. All of it, or nothing."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from build_scripts.precompute.quantise import Exported

__all__ = ["CONTRACT", "LIMIT", "write"]

CONTRACT = 1
LIMIT = 2 * 2**20  # bytes a sim


def write(folder: Path, arrays: Mapping[str, Exported], manifest: Mapping[str, Any]) -> None:
    """Write `arrays` and `manifest` beside `folder`, then put the whole in its place.

    Args:
        folder: the data folder; one that exists is replaced.
        arrays: name to stored array; the name is the file's.
        manifest: everything but `contract` and `arrays`.

    Raises:
        ValueError: the folder would be larger than 2 MiB; nothing is written.
    """
    files = {name: _npy(exported) for name, exported in arrays.items()}
    entries = {name: _entry(name, exported, files[name]) for name, exported in arrays.items()}
    whole = {"contract": CONTRACT, **manifest, "arrays": entries}
    text = json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    size = sum(map(len, files.values())) + len(text.encode())
    if size > LIMIT:
        largest = max(files, key=lambda name: len(files[name]))
        raise ValueError(
            f"{folder} would hold {size} bytes, the limit is {LIMIT}; the largest array is {largest} "
            f"({len(files[largest])} bytes): record less"
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.aside")
    before = folder.with_name(f".{folder.name}.before")
    shutil.rmtree(aside, ignore_errors=True)
    if before.exists() and not folder.exists():
        before.rename(folder)  # a run was killed between the two renames below
    shutil.rmtree(before, ignore_errors=True)
    aside.mkdir()
    try:
        for name, content in files.items():
            (aside / f"{name}.npy").write_bytes(content)
        (aside / "manifest.json").write_text(text, encoding="utf-8")
        if folder.exists():
            folder.rename(before)
        aside.rename(folder)
    finally:
        if before.exists() and not folder.exists():
            before.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


def _npy(exported: Exported) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(exported.array), allow_pickle=False)
    return buffer.getvalue()


def _entry(name: str, exported: Exported, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": f"{name}.npy",
        "sha256": hashlib.sha256(content).hexdigest(),
        "shape": list(exported.array.shape),
        "dtype": str(exported.array.dtype),
    }
    if exported.scale is not None:
        entry |= {"scale": exported.scale, "offset": exported.offset, "max_error": exported.max_error}
    return entry | {"unit": exported.unit, "about": exported.about}
