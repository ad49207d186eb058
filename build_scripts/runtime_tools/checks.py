"""Checks of a freshly compiled runtime; the build fails when one does.

1. Every module that was kept imports, if it did in the runtime as published.
2. Some fifty calculations give what CPython gives: numbers to 1e-9, text exactly.
"""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from build_scripts.runtime_tools import checks_numeric
from build_scripts.runtime_tools.errors import RuntimeBuildError
from build_scripts.runtime_tools.lock import write_lock
from build_scripts.runtime_tools.node import run_inside
from build_scripts.runtime_tools.sources import Pyodide

__all__ = ["check_base", "compare"]

_HERE = Path(__file__).parent
RELATIVE = 1e-9
ABSOLUTE = 1e-12


def check_base(pyodide: Pyodide, wheel: Path, folder: Path, numpy: dict[str, Any]) -> str:
    """Check the runtime in `folder` against the published one and against CPython.

    Args:
        wheel: NumPy's wheel as published.
        numpy: the lock entry of the rewritten one.

    Returns:
        The version of Python in the browser.

    Raises:
        RuntimeBuildError: names every module and check that failed.
    """
    modules = _modules(folder / "python_stdlib.zip") + _modules(folder / wheel.name)
    with tempfile.TemporaryDirectory() as scratch:
        job = Path(scratch)
        (job / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        stock, ours = job / "stock", job / "ours"
        for place, source, entry in ((stock, wheel, pyodide.numpy), (ours, folder / wheel.name, numpy)):
            place.mkdir()
            shutil.copyfile(source, place / wheel.name)
            write_lock(place / "lock.json", pyodide.lock["info"], [entry])
        said = run_inside(_HERE / "inside_imports.py", ["/job/modules.json"], index=pyodide.folder,
                          mounts={"/job": job}, lock=stock / "lock.json", packages=["numpy"])  # fmt: skip
        before: dict[str, str] = json.loads(said.splitlines()[-1])
        said = run_inside(_HERE / "inside_imports.py", ["/job/modules.json"], index=folder,
                          mounts={"/job": job}, lock=ours / "lock.json", packages=["numpy"])  # fmt: skip
        after: dict[str, str] = json.loads(said.splitlines()[-1])
        said = run_inside(_HERE / "checks_numeric.py", [], index=folder, mounts={},
                          lock=ours / "lock.json", packages=["numpy"])  # fmt: skip
        results: dict[str, Any] = json.loads(said.splitlines()[-1])
        version = run_inside(_HERE / "inside_version.py", [], index=folder, mounts={},
                             lock=ours / "lock.json").strip()  # fmt: skip
    failures = [f"import {name}: {why}" for name, why in after.items() if name not in before]
    failures += compare(checks_numeric.run(), results)
    if failures:
        raise RuntimeBuildError(
            f"the trimmed runtime fails {len(failures)} checks; what it misses must not be dropped "
            "(build_scripts/runtime_tools/trim.py):\n  " + "\n  ".join(failures)
        )
    return version


def compare(expected: dict[str, Any], got: dict[str, Any]) -> list[str]:
    """Return one line for every check whose result differs; an empty list when all agree."""
    lines = []
    for name, wanted in expected.items():
        value = got.get(name, {"raised": "the check did not run"})
        for where, result in (("CPython", wanted), ("the browser's Python", value)):
            if isinstance(result, dict):
                lines.append(f"{name}: raised in {where}: {result['raised']}")
                break
        else:
            if difference := _difference(wanted, value):
                lines.append(f"{name}: {difference}")
    return lines


def _difference(wanted: Any, value: Any) -> str:
    if isinstance(wanted, str) or isinstance(value, str):
        return "" if wanted == value else f"CPython says {wanted!r}, the browser's Python {value!r}"
    if len(wanted) != len(value):
        return f"CPython gives {len(wanted)} numbers, the browser's Python {len(value)}"
    for index, (a, b) in enumerate(zip(wanted, value, strict=True)):
        same = math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(a) and math.isnan(b))
        if not same:
            return f"number {index} is {a!r} in CPython and {b!r} in the browser's Python"
    return ""


def _modules(archive: Path) -> list[str]:
    """Return the importable modules of an archive of `.pyc` files."""
    names = []
    with zipfile.ZipFile(archive) as content:
        for member in content.namelist():
            if member.endswith(".pyc") and not member.endswith("__main__.pyc"):
                names.append(member.removesuffix(".pyc").removesuffix("/__init__").replace("/", "."))
    return sorted(name for name in names if all(part.isidentifier() for part in name.split(".")))
