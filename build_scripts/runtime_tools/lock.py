"""Our own lock file: NumPy and the engine alone, with the hashes of the wheels as we wrote them.

Pyodide reads it at start; each wheel is fetched beside it and refused unless its sha256 agrees.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from build_scripts.runtime_tools.files import sha256

__all__ = ["engine_entry", "numpy_entry", "write_lock"]


def numpy_entry(official: dict[str, Any], wheel: Path) -> dict[str, Any]:
    """Return the official entry with the name and hash of the rewritten wheel."""
    return {**official, "file_name": wheel.name, "sha256": sha256(wheel)}


def engine_entry(version: str, wheel: Path) -> dict[str, Any]:
    """Return the entry of the engine's wheel."""
    return {
        "depends": ["numpy"],
        "file_name": wheel.name,
        "imports": ["sim_engine"],
        "install_dir": "site",
        "name": "sim_engine",
        "package_type": "package",
        "sha256": sha256(wheel),
        "unvendored_tests": False,
        "version": version,
    }


def write_lock(path: Path, info: dict[str, Any], packages: list[dict[str, Any]]) -> None:
    """Write the lock file; `info` is the official lock's description of the platform."""
    # Pyodide looks packages up by their normalised name: asked for sim_engine, it reads sim-engine.
    named = {re.sub(r"[-_.]+", "-", package["name"]).lower(): package for package in packages}
    lock = {"info": info, "packages": named}
    path.write_text(json.dumps(lock, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
