"""Renders one sim into a folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from build_scripts.charting import Picture
from build_scripts.render.bake import dumps, pack, record, telling
from build_scripts.render.images import Images
from build_scripts.render.layout import settle
from build_scripts.render.page import Template, formula_html, mounted, page_html, spec_of
from build_scripts.render.paint import paint
from build_scripts.render.poster import Tile, poster_png, poster_svg
from build_scripts.render.recolor import darkened
from build_scripts.render.source import load
from build_scripts.render.still import stills
from build_scripts.render.vega import compile_panels

__all__ = ["render_one"]


def render_one(folder: Path, out: Path, template: Template) -> None:
    """Write everything of the sim in `folder` to `out`, an empty folder.

    Raises:
        RenderError: names file, line where known, and remedy.
    """
    source = load(folder)
    compiled = compile_panels(source)
    images = Images()
    recorded = record(source, images)
    baked = pack(source, recorded, images)
    frame = recorded[0]["frame"]
    shown_states = telling(source.sim, recorded)
    compiled = [settle(source, c, shown_states) for c in compiled]
    spec = spec_of(source, compiled, frame, baked=baked is not None, images=images.index())

    paintings = {c.panel.name: paint(source, c, frame) for c in compiled}
    tiles: list[Tile] = []
    panels: list[dict[str, Any]] = []
    for panel, entry in zip(source.panels, spec["panels"], strict=True):
        if isinstance(panel, Picture):
            shown = frame["images"][panel.image]
            pixels = images.files[shown["sha"]]
            tiles.append(Tile(panel.title, panel.span, (pixels, shown["width"], shown["height"])))
            panels.append({**entry, "image_url": spec["images"][shown["sha"]]})
        else:
            tiles.append(Tile(panel.title, panel.span, paintings[panel.name]))
            panels.append({**entry, "svg": paintings[panel.name].inline()})
    page = page_html(source, spec, panels, formula_html(source, frame), template)

    (out / "main.html").write_text(page, encoding="utf-8")
    (out / "spec.json").write_bytes(dumps(spec))
    if baked is not None:
        (out / "baked.json").write_bytes(baked)
    for sha, content in images.files.items():
        (out / "images").mkdir(exist_ok=True)
        (out / "images" / f"{sha}.png").write_bytes(content)
    for name, painting in paintings.items():
        for address, content in stills(name, painting).items():
            (out / address).parent.mkdir(exist_ok=True)
            (out / address).write_bytes(content)
    poster = poster_svg(tiles, source.title, frame["alt"])
    (out / "poster.svg").write_text(poster, encoding="utf-8")
    (out / "poster.png").write_bytes(poster_png(poster))
    # For pages that are dark.
    (out / "poster-dark.png").write_bytes(poster_png(darkened(poster)))
    for path in mounted(folder):
        target = out / "files" / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
