"""Reads one `sims/<slug>/`: the microsim, its panels, its front matter, its default frame."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from build_scripts.charting import AnyPanel, Panel, Picture
from build_scripts.render.errors import RenderError
from sim_engine.bridge import BridgeError, load_microsim
from sim_engine.microsim import Frame, Microsim

__all__ = ["SLUG", "SimSource", "compute", "front_matter", "load", "sim_folders"]

SLUG = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
_FRONT = re.compile(r"\A---\n(.*?)^---\s*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class SimSource:
    """One microsim as its folder describes it.

    Attributes:
        folder, slug: where it lies and what it is called.
        sim, panels, formula: what `sim.py` and `charts.py` define.
        front: front matter of `index.md`; empty where there is no page.
        frame: the frame at the defaults; a process's first.
    """

    folder: Path
    slug: str
    sim: Microsim
    panels: list[AnyPanel]
    formula: str | None
    front: Mapping[str, Any]
    frame: Frame

    @property
    def title(self) -> str:
        """The page's title, or the slug in words where there is no page."""
        return str(self.front.get("title") or self.slug.replace("-", " ").capitalize())

    @property
    def charts_file(self) -> Path:
        """`charts.py`, for errors."""
        return self.folder / "charts.py"


def sim_folders(sims_dir: Path) -> list[Path]:
    """Return the folders of `sims_dir` that hold a `sim.py`, by name.

    Raises:
        RenderError: there is no such folder, or a sim's folder is not named like a slug.
    """
    if not sims_dir.is_dir():
        raise RenderError(sims_dir, "is no folder; a folder of sims was wanted")
    folders = sorted(p.parent for p in sims_dir.glob("*/sim.py"))
    for folder in folders:
        if not SLUG.match(folder.name):
            raise RenderError(
                folder, "a sim's folder is named in lower case with hyphens, like nt-xent-explorer"
            )
    return folders


def front_matter(folder: Path) -> dict[str, Any]:
    """Return the front matter of the sim's `index.md`; empty where there is no page.

    Raises:
        RenderError: it is not a YAML mapping.
    """
    path = folder / "index.md"
    if not path.is_file():
        return {}
    found = _FRONT.match(path.read_text(encoding="utf-8"))
    if not found:
        raise RenderError(path, "must begin with front matter between two lines of ---", 1)
    try:
        front = yaml.safe_load(found[1])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise RenderError(
            path, f"its front matter is no YAML: {error}", mark.line + 2 if mark else 1
        ) from None
    if not isinstance(front, dict):
        raise RenderError(path, f"its front matter must be a mapping, got {type(front).__name__}", 1)
    return front


def load(folder: Path) -> SimSource:
    """Read the sim in `folder` and compute its default frame.

    Raises:
        RenderError: with the sim's own trace where its Python raised.
    """
    path = folder / "sim.py"
    try:
        sim = load_microsim(path)
    except Exception as error:
        raise _raised(path, "cannot be imported", error) from None
    wanted = folder.name.replace("-", "_")
    if sim.name != wanted:
        raise RenderError(path, f"the microsim of {folder.name} must be called {wanted}, got {sim.name}")
    panels, formula = _charts(folder / "charts.py")
    frame = compute(path, sim, {})[0]
    return SimSource(folder, folder.name, sim, panels, formula, front_matter(folder), frame)


def compute(path: Path, sim: Microsim, controls: Mapping[str, Any], count: int = 1) -> list[Frame]:
    """Return the frame at `controls`; of a process its first `count` frames at most.

    Raises:
        RenderError: the sim raised, or its process yields nothing.
    """
    try:
        if sim.kind != "process":
            return [sim(**controls)]
        frames = [frame for frame, _ in zip(sim(**controls), range(count), strict=False)]
    except Exception as error:
        at = ", ".join(f"{n}={v!r}" for n, v in controls.items()) or "the defaults"
        raise _raised(path, f"raises at {at}", error) from None
    if not frames:
        raise RenderError(path, "yields no frame; a process yields one at least")
    return frames


def _charts(path: Path) -> tuple[list[AnyPanel], str | None]:
    if not path.is_file():
        raise RenderError(path, "is missing; it defines panels() -> list[Panel]")
    name = "_charts_" + path.parent.name.replace("-", "_")
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
        panels = module.panels() if hasattr(module, "panels") else None
    except Exception as error:
        raise _raised(path, "cannot be run", error) from None
    if not isinstance(panels, list) or not panels or not all(isinstance(p, Panel | Picture) for p in panels):
        raise RenderError(path, f"panels() must return a list of Panel and Picture, got {panels!r}")
    names = [p.name for p in panels]
    if len(set(names)) < len(names):
        raise RenderError(path, f"panels must have names of their own, got {', '.join(names)}")
    formula = getattr(module, "FORMULA", None)
    if formula is not None and not isinstance(formula, str):
        raise RenderError(path, f"FORMULA must be LaTeX text, got {type(formula).__name__}")
    return panels, formula


def _raised(path: Path, what: str, error: Exception) -> RenderError:
    """Wrap what a sim's file raised, with its own trace and line."""
    if isinstance(error, SyntaxError):
        return RenderError(path, f"{what}: {error.msg}", error.lineno)
    shown = BridgeError.of(error, str(path))
    tb, line = error.__traceback__, None
    while tb is not None:
        if tb.tb_frame.f_code.co_filename == str(path):
            line = tb.tb_lineno
        tb = tb.tb_next
    return RenderError(path, f"{what}: {shown.message}\n\n{shown.trace}", line)
