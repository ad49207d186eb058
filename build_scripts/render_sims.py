"""Sims to static pages: `python -m build_scripts.render_sims [--sims DIR] [--out DIR] [slug …]`.

For each `sims/<slug>/` with a `sim.py` this writes `main.html` (painted, readable without any
script), `spec.json`, `baked.json`, the poster, the images and the files that the browser's Python
mounts. An unchanged sim is taken from `.cache/render/`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_scripts.render.cache import CACHE, ROOT, key, place
from build_scripts.render.errors import RenderError
from build_scripts.render.height import page_height
from build_scripts.render.page import Template
from build_scripts.render.source import front_matter, sim_folders
from build_scripts.render.spare import renderer

__all__ = ["RenderError", "SimPage", "build", "main"]

KEPT_PER_SIM = 4


@dataclass(frozen=True)
class SimPage:
    """What the site needs to know of a rendered sim.

    Attributes:
        slug, title: its folder's name, and its page's title.
        spec: the content of `spec.json`.
        front: front matter of `index.md`; empty where there is no page.
        source, out: the sim's folder, and the folder of its output.
    """

    slug: str
    title: str
    spec: Mapping[str, Any]
    front: Mapping[str, Any]
    source: Path
    out: Path

    @property
    def poster(self) -> Path:
        """The poster, a PNG 1200 pixels wide; `poster.svg` lies beside it."""
        return self.out / "poster.png"

    def embed_height(self, width: int) -> int:
        """Return about how high `main.html` is at `width`, both in CSS pixels."""
        page = (self.out / "main.html").read_text(encoding="utf-8")
        formula = page.partition('<span class="katex-display">')[2].partition("</div>")[0]
        return page_height(self.spec, width, formula)


def build(
    sims_dir: Path,
    out: Path,
    *,
    only: set[str] | None = None,
    template: Template | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> list[SimPage]:
    """Render the sims of `sims_dir` to `out/<slug>/` and return them by slug.

    Args:
        only: slugs to render; None renders all, and removes the output of sims that are gone.
        template: the page's template and style sheet; the player's by default.
        report: called with a line of progress for every sim.

    Raises:
        RenderError: every sim that fails, with file, line where known, and remedy; the sims that
            do not fail are in place.
    """
    template = template or Template()
    template.files()
    folders = {f.name: f for f in sim_folders(sims_dir)}
    missing = sorted((only or set()) - set(folders))
    if missing:
        raise RenderError(sims_dir, f"has no sim {missing[0]!r}; it has {', '.join(folders) or 'none'}")
    chosen = [f for name, f in folders.items() if only is None or name in only]
    kept = {f: CACHE / f.name / key(f, template) for f in chosen}
    stale = {f: k for f, k in kept.items() if not k.is_dir()}
    seconds, errors = _render(stale, template)
    pages = []
    for folder in chosen:
        if folder in errors:
            continue
        changed = place(kept[folder], out / folder.name)
        _prune(kept[folder])
        page = _page(folder, out / folder.name)
        pages.append(page)
        how = (
            f"rendered in {seconds[folder]:.2f} s"
            if folder in seconds
            else "from cache"
            if changed
            else "unchanged"
        )
        report(f"{folder.name:<28} {how:<20} {_sizes(page)}")
    if only is None and out.is_dir():
        for gone in (p for p in out.iterdir() if p.name not in folders and (p / "spec.json").is_file()):
            shutil.rmtree(gone)
    if errors:
        raise _together(list(errors.values()))
    return pages


def _render(stale: Mapping[Path, Path], template: Template) -> tuple[dict[Path, float], dict[Path, str]]:
    """Render `stale` (sim folder to target) in fresh Pythons; return seconds and errors by folder."""
    if not stale:
        return {}, {}
    requests = {
        f: {"folder": str(f), "out": str(o), "html": str(template.html), "css": str(template.css)}
        for f, o in stale.items()
    }
    # One renderer a core: they share nothing but the cache.
    count = min(len(requests), os.cpu_count() or 1)
    shares = [list(requests)[first::count] for first in range(count)]
    with ThreadPoolExecutor(count) as pool:
        done = list(pool.map(lambda share: _in_fresh_python([requests[f] for f in share]), shares))
    seconds: dict[Path, float] = {}
    errors: dict[Path, str] = {}
    for share, answers in zip(shares, done, strict=True):
        for index, folder in enumerate(share):
            if index >= len(answers):
                errors[folder] = f"{folder}: the renderer stopped; its last words stand above"
            elif "error" in answers[index]:
                errors[folder] = answers[index]["error"]
            else:
                seconds[folder] = answers[index]["seconds"]
    return seconds, {f: errors[f] for f in stale if f in errors}


def _in_fresh_python(requests: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Answer as `render.worker` does; fewer answers than requests when the process died."""
    said, _ = renderer().communicate("".join(json.dumps(r) + "\n" for r in requests))
    return [json.loads(line) for line in said.splitlines()]


def _page(folder: Path, out: Path) -> SimPage:
    spec = json.loads((out / "spec.json").read_text(encoding="utf-8"))
    return SimPage(folder.name, spec["title"], spec, front_matter(folder), folder, out)


def _prune(kept: Path) -> None:
    """Keep the newest few outputs of a sim: switching back and forth stays quick, the disk stays small."""
    os.utime(kept.parent)
    finished = [p for p in kept.parent.iterdir() if p.is_dir() and p != kept and p.suffix != ".part"]
    for old in sorted(finished, key=lambda p: p.stat().st_mtime_ns, reverse=True)[KEPT_PER_SIM - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _together(errors: list[str]) -> RenderError:
    error = RenderError(Path(errors[0].split(":", 1)[0]), "")
    error.args = ("\n\n".join(errors),)
    return error


def _sizes(page: SimPage) -> str:
    def size(name: str) -> str:
        path = page.out / name
        return f"{name} {path.stat().st_size / 1000:.0f} kB" if path.is_file() else f"no {name}"

    return ", ".join(size(n) for n in ("main.html", "baked.json", "poster.png"))


def main(arguments: Iterable[str] | None = None) -> int:
    """Run the command line; return 0, or 1 when a sim fails."""
    parser = argparse.ArgumentParser(prog="python -m build_scripts.render_sims", description=__doc__)
    parser.add_argument("slug", nargs="*", help="sims to render; all when none is named")
    parser.add_argument("--sims", type=Path, default=ROOT / "sims", help="folder of the sims")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "sims", help="where their pages go")
    options = parser.parse_args(None if arguments is None else list(arguments))
    start = time.perf_counter()
    try:
        pages = build(options.sims, options.out, only=set(options.slug) or None, report=print)
    except RenderError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(pages)} sims in {time.perf_counter() - start:.2f} s, to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
