"""One folder of finished output per sim and input key, so that an unchanged sim costs milliseconds."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path

from build_scripts import look
from build_scripts.render.page import Template
from build_scripts.render.source import front_matter

__all__ = ["CACHE", "code_files", "key", "place", "same_tree"]

ROOT = look.faces.ROOT
CACHE = ROOT / ".cache" / "render"
_PACKAGES = ("altair", "fonttools", "jinja2", "numpy", "pillow", "vl-convert-python")
_NPM = (
    "@fontsource/ibm-plex-sans",
    "@fontsource/ibm-plex-mono",
    "@fontsource-variable/source-serif-4",
    "katex",
)


def key(folder: Path, template: Template) -> str:
    """Return a hash of everything that the sim's output depends on.

    Of `index.md` only the front matter counts, so that editing its text renders nothing anew.
    """
    digest = hashlib.sha256(_versions().encode())
    for path in [*code_files(), *template.files()]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and _counts(p, folder)):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    # The folder's place stands in no output, its name does.
    digest.update(json.dumps([folder.name, front_matter(folder)], sort_keys=True, default=str).encode())
    return digest.hexdigest()[:24]


def code_files() -> list[Path]:
    """Return the source files that decide what is rendered: the engine, the renderer, the look."""
    scripts = ROOT / "build_scripts"
    return [
        *sorted((ROOT / "sim_engine").rglob("*.py")),
        *sorted((scripts / "render").glob("*.py")),
        *sorted(p for p in (scripts / "look").glob("*.*") if p.name != "mpl.py"),
        scripts / "charting.py",
        scripts / "maths.mjs",
        scripts / "maths.py",
    ]


def place(kept: Path, out: Path) -> bool:
    """Make `out` equal to `kept`; written aside, then renamed. Return whether anything changed."""
    if same_tree(kept, out):
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    aside = out.with_name(f".{out.name}.{os.getpid()}.part")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(kept, aside)  # keeps times, which `same_tree` compares
    if out.exists():
        out.rename(old)
    aside.rename(out)
    shutil.rmtree(old, ignore_errors=True)
    return True


def same_tree(one: Path, other: Path) -> bool:
    """Return whether both folders hold the same files, told by size and time of change."""

    def listing(root: Path) -> dict[str, tuple[int, int]]:
        files = (p for p in root.rglob("*") if p.is_file())
        return {p.relative_to(root).as_posix(): (p.stat().st_size, p.stat().st_mtime_ns) for p in files}

    return other.is_dir() and listing(one) == listing(other)


def _counts(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return parts != ("index.md",) and not any(p.startswith(".") or p == "__pycache__" for p in parts)


@cache
def _versions() -> str:
    npm = {}
    for name in _NPM:
        path = ROOT / "node_modules" / name / "package.json"
        npm[name] = json.loads(path.read_text(encoding="utf-8"))["version"] if path.is_file() else None
    return json.dumps([sys.version, {n: version(n) for n in _PACKAGES}, npm], sort_keys=True)
