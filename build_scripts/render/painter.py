"""What vl-convert answers, asked once: an edit pays for the pictures that it changes.

Compiling and painting are most of rendering, and what they give depends on nothing but the spec,
the faces and the version. So each answer is kept under a hash of these, in `.cache/painted/`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert
from PIL import Image

from build_scripts.look import painter_fonts
from build_scripts.look.faces import ROOT

__all__ = ["KEPT", "forget_old", "svg_to_png", "svg_to_webp", "vega_to_svg", "vegalite_to_vega"]

Json = dict[str, Any]
KEPT = 4000
_QUALITY = 75  # of a WebP
# A test of what vl-convert itself answers has a cache of its own.
_FOLDER = Path(os.environ.get("LWL_PAINTED") or ROOT / ".cache" / "painted")


def vegalite_to_vega(chart: Json) -> Json:
    """Return the Vega spec of a Vega-Lite one.

    Raises:
        ValueError: Vega-Lite refuses it.
    """
    said = _asked("vega", json.dumps(chart), lambda: json.dumps(vl_convert.vegalite_to_vega(chart)).encode())
    vega: Json = json.loads(said)
    return vega


def vega_to_svg(vega: Json) -> str:
    """Return Vega's picture of a spec that holds its data.

    Raises:
        ValueError: Vega refuses it.
    """
    return _asked("svg", json.dumps(vega), lambda: vl_convert.vega_to_svg(vega).encode()).decode()


def svg_to_png(svg: str, scale: float) -> bytes:
    """Return the SVG as an opaque PNG, as small as it gets, `scale` pixels a unit."""
    return _asked("png", f"{scale!r} {svg}", lambda: _opaque(vl_convert.svg_to_png(svg, scale=scale)))


def svg_to_webp(svg: str, scale: float) -> bytes:
    """Return an SVG without clear parts as a small WebP, `scale` pixels a unit."""
    question = f"{scale!r} {_QUALITY} {svg}"
    return _asked("webp", question, lambda: _webp(vl_convert.svg_to_png(svg, scale=scale)))


def forget_old() -> None:
    """Delete all but the `KEPT` answers used last."""
    if not _FOLDER.is_dir():
        return
    found = []
    for path in _FOLDER.iterdir():
        try:
            found.append((path.stat().st_mtime_ns, path))
        except FileNotFoundError:  # another build deletes too
            continue
    for _, path in sorted(found, reverse=True)[KEPT:]:
        path.unlink(missing_ok=True)


def _asked(kind: str, question: str, answer: Callable[[], bytes]) -> bytes:
    key = hashlib.sha256(f"{kind} {_painter()} {question}".encode()).hexdigest()
    kept = _FOLDER / key
    try:
        content = zlib.decompress(kept.read_bytes())
    except (FileNotFoundError, zlib.error):
        content = answer()
        _FOLDER.mkdir(parents=True, exist_ok=True)
        # Two builds may run at once; a file is there whole or not at all.
        aside = _FOLDER / f"{key}.{os.getpid()}.part"
        aside.write_bytes(zlib.compress(content, 1))
        aside.replace(kept)
    else:
        os.utime(kept)
    return content


def _opaque(png: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _webp(png: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(buffer, "WEBP", quality=_QUALITY, method=6)
    return buffer.getvalue()


@cache
def _painter() -> str:
    """Hand the book's faces to vl-convert, once; return what its answers depend on beside the question."""
    fonts = painter_fonts()
    vl_convert.register_font_directory(str(fonts))
    return f"{version('vl-convert-python')} {version('pillow')} {fonts.name}"
