"""Writes the look's files for the site."""

from __future__ import annotations

from pathlib import Path

from build_scripts.look.css import css
from build_scripts.look.faces import write_faces

__all__ = ["write"]


def write(out: Path) -> None:
    """Write `tokens.css`, `fonts.css` and `fonts/` to `out` (the site's `assets/`)."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokens.css").write_text(css(), encoding="utf-8")
    write_faces(out)
