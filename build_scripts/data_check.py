"""Is the recorded data beside each sim whole, described and small?"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from build_scripts.markdown.errors import Problem
from sim_engine.data import Recorded

__all__ = ["ALL_LIMIT", "SIM_LIMIT", "check_data", "line_of"]

SIM_LIMIT = 2 * 2**20
ALL_LIMIT = 16 * 2**20
KEYS = ("contract", "recipe", "recipe_sha256", "config", "dataset", "seeds", "versions", "device", "arrays")
ARRAY_KEYS = ("file", "sha256", "shape", "dtype")


def check_data(root: Path) -> list[Problem]:
    """Return the faults of every `sims/*/data/`, each with the line of the manifest it is about."""
    problems: list[Problem] = []
    total = 0
    for folder in sorted((root / "sims").glob("*/data")):
        files = [(p, p.stat()) for p in sorted(folder.rglob("*")) if p.is_file()]
        size = sum(stat.st_size for _, stat in files)
        total += size
        problems += _folder(folder, root, tuple((p, s.st_size, s.st_mtime_ns) for p, s in files))
        if size > SIM_LIMIT:
            problems.append(_big(folder, root, size, SIM_LIMIT))
    if total > ALL_LIMIT:
        problems.append(_big(root / "sims", root, total, ALL_LIMIT))
    return problems


def line_of(text: str, word: str) -> int:
    """Return the first line that holds `word`; 1 where none does."""
    return next((i for i, line in enumerate(text.split("\n"), 1) if word in line), 1)


# While serving, the same files would be read and hashed at every edit of a page.
@lru_cache(maxsize=64)
def _folder(folder: Path, root: Path, state: tuple[tuple[Path, int, int], ...]) -> list[Problem]:
    """Return the faults of one folder, whose files are in this state (path, size, time of change)."""
    path = folder / "manifest.json"
    file = path.relative_to(root).as_posix()
    again = "Run its recipe again (`make data`), or restore the committed files (`git checkout -- " + (
        f"{folder.relative_to(root).as_posix()}`)."
    )
    if not path.is_file():
        return [Problem(file, 1, "the manifest is missing", again)]
    text = path.read_text(encoding="utf-8")
    try:
        manifest: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError as error:
        return [Problem(file, error.lineno, f"the manifest is not JSON: {error.msg}", again)]
    problems = [Problem(file, 1, f"the manifest lacks {key!r}", again) for key in KEYS if key not in manifest]
    arrays = manifest.get("arrays", {})
    for name, entry in arrays.items():
        line = line_of(text, f'"{name}"')
        lacking = [key for key in ARRAY_KEYS if key not in entry]
        if lacking:
            problems.append(Problem(file, line, f"array {name} lacks {', '.join(lacking)}", again))
            continue
        array = folder / entry["file"]
        shown = array.relative_to(root).as_posix()
        if not array.is_file():
            problems.append(Problem(file, line, f"{shown} is missing", again))
        elif (got := hashlib.sha256(array.read_bytes()).hexdigest()) != entry["sha256"]:
            message = (
                f"{shown} is damaged: its sha256 is {got[:12]}…, the manifest says {entry['sha256'][:12]}…"
            )
            problems.append(Problem(file, line, message, again))
        elif refused := _refused(folder, name):
            problems.append(Problem(file, line, refused.replace(f"{root.as_posix()}/", ""), again))
    described = {e.get("file") for e in arrays.values()} | {"manifest.json"}
    for stray in sorted(p for p in folder.iterdir() if p.is_file() and p.name not in described):
        remedy = "Describe it there, or delete it: readers would download it for nothing."
        problems.append(Problem(file, 1, f"{stray.name} stands in no entry of the manifest", remedy))
    return problems


def _refused(folder: Path, name: str) -> str:
    """Return why the engine does not read an array whose file is whole; empty when it does."""
    try:
        Recorded(folder)[name]
    except ValueError as error:
        return str(error)
    return ""


def _big(folder: Path, root: Path, size: int, limit: int) -> Problem:
    return Problem(
        folder.relative_to(root).as_posix(),
        1,
        f"holds {size / 2**20:.2f} MiB of data, more than {limit / 2**20:.0f}",
        "Record fewer frames, or store arrays in a smaller dtype with a scale.",
    )
