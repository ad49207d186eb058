"""The spec of a sim, and its page."""

from __future__ import annotations

import base64
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from build_scripts import look, maths
from build_scripts.charting import Panel, Picture
from build_scripts.render.bake import dumps
from build_scripts.render.errors import RenderError, line_of
from build_scripts.render.source import SimSource
from build_scripts.render.vega import CompiledPanel

__all__ = ["PLAYER", "Template", "formula_html", "mounted", "page_html", "spec_of"]

Json = dict[str, Any]
PLAYER = look.faces.ROOT / "sims" / "player"


@dataclass(frozen=True)
class Template:
    """Where the page's template and style sheet lie."""

    html: Path = PLAYER / "main.html.j2"
    css: Path = PLAYER / "sim.css"

    def files(self) -> list[Path]:
        """Return both files.

        Raises:
            RenderError: one is missing.
        """
        for path in (self.html, self.css):
            if not path.is_file():
                raise RenderError(path, "is missing; it belongs to the player, restore it")
        return [self.html, self.css]


def mounted(folder: Path) -> list[Path]:
    """Return what the browser's Python needs of a sim: `sim.py` and the files under `data/`."""
    data = sorted(p for p in (folder / "data").rglob("*") if p.is_file() and not p.name.startswith("."))
    return [folder / "sim.py", *data]


def spec_of(
    source: SimSource, compiled: list[CompiledPanel], frame: Json, *, baked: bool, images: dict[str, str]
) -> Json:
    """Return the spec as the contract has it."""
    charts = {c.panel.name: c for c in compiled}
    spec: Json = {
        "contract": 1,
        "slug": source.slug,
        "title": source.title,
        **source.sim.spec(),
        "panels": [_picture(p) if isinstance(p, Picture) else _chart(charts[p.name]) for p in source.panels],
        "readouts": [
            {"name": n, "label": r["label"], "unit": r["unit"], "digits": r["digits"]}
            for n, r in frame["readouts"].items()
        ],
        "frame": frame,
        "baked": "baked.json" if baked else None,
        "images": images,
        "files": [_file(source.folder, path) for path in mounted(source.folder)],
        "runtime": "../../runtime/runtime.json",
    }
    if source.front:
        spec["page"] = "index.html"
    return spec


def formula_html(source: SimSource, frame: Json) -> str | None:
    """Return the formula with the frame's numbers in its slots, or None where the sim has none.

    Raises:
        RenderError: a slot names no readout, or KaTeX refuses the formula.
    """
    if source.formula is None:
        return None
    path = source.charts_file
    readouts = frame["readouts"]
    try:
        for name in maths.slots(source.formula):
            if name not in readouts:
                raise RenderError(
                    path,
                    f"FORMULA: \\slot{{{name}}} names no readout; there are {', '.join(readouts) or 'none'}",
                    line_of(path, name),
                )
        return maths.render(
            source.formula,
            display=True,
            values={n: number(r["value"], r["digits"]) for n, r in readouts.items()},
            labels={n: r["label"] for n, r in readouts.items()},
        )
    except maths.MathsError as error:
        raise RenderError(path, f"FORMULA: {error}", line_of(path, "FORMULA")) from None


def number(value: float | None, digits: int) -> str:
    """Return a readout as the player prints it: fixed decimals, a true minus, a dash for no number."""
    if value is None or not math.isfinite(value):
        return "—"
    text = f"{value:.{digits}f}"
    if not text.strip("-0."):
        text = text.lstrip("-")
    return text.replace("-", "−")


def page_html(
    source: SimSource, spec: Json, panels: list[Json], formula: str | None, template: Template
) -> str:
    """Return `main.html`.

    Args:
        panels: the spec's panels, each with its `svg` or `image_url`.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, autoescape=True, keep_trailing_newline=True
    )
    environment.filters["csp_hash"] = _csp_hash
    css = "\n".join([look.css(), look.fonts_css("../../assets/"), template.css.read_text(encoding="utf-8")])
    if formula is not None:
        # Only a page with a formula pays for the style sheet.
        formula = f'<link rel="stylesheet" href="../../assets/katex/katex.min.css">{formula}'
    try:
        page = environment.from_string(template.html.read_text(encoding="utf-8"))
        return page.render(
            spec=spec,
            # "<" cannot end the script element early, whatever a title or an alt sentence says.
            spec_json=dumps(spec).decode().replace("<", "\\u003c"),
            panels=panels,
            formula_html=formula,
            css=css,
            player="../_player/player.js",
            worker="../_player/worker.js",
            title=spec["title"],
            alt=spec["frame"]["alt"],
            readouts=spec["readouts"],
            controls=spec["controls"],
            links={"page": spec.get("page")},
        )
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        raise RenderError(template.html, f"the template fails: {error}", line) from None


def _csp_hash(script: str) -> str:
    """Return how a content security policy names an inline script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _chart(compiled: CompiledPanel) -> Json:
    panel: Panel = compiled.panel
    hovered = panel.tooltip_image
    return {
        "name": panel.name,
        "title": panel.title,
        "description": panel.description,
        "type": "chart",
        "width": panel.width,
        "height": panel.height,
        "renderer": panel.renderer,
        "span": panel.span,
        "vega": compiled.vega,
        "tables": compiled.tables,
        "signals": compiled.signals,
        "drag": dict(panel.drag) if panel.drag else None,
        "tooltip_image": None
        if hovered is None
        else {"image": hovered.image, "column": hovered.column, "tile": hovered.tile},
    }


def _picture(panel: Picture) -> Json:
    return {
        "name": panel.name,
        "title": panel.title,
        "description": panel.description,
        "type": "picture",
        "image": panel.image,
        "span": panel.span,
    }


def _file(folder: Path, path: Path) -> Json:
    content = path.read_bytes()
    return {
        "path": path.relative_to(folder).as_posix(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
