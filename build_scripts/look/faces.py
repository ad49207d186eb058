"""The book's faces: self-hosted woff2 files from @fontsource, and the same faces for the painter."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from build_scripts.look.fallback import fallback_css

__all__ = ["ROOT", "Face", "faces", "fonts_css", "painter_fonts", "write_faces"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "node_modules"
SUBSETS = ("latin-ext", "greek", "latin")


@dataclass(frozen=True)
class Face:
    """One woff2 file and the characters it is for."""

    family: str
    weight: str
    style: str
    unicode_range: str
    file: Path

    def css(self, base: str) -> str:
        """Return its `@font-face`; `base` leads from the style sheet to the folder of `fonts/`."""
        return (
            f"@font-face {{ font-family: '{self.family}'; font-style: {self.style}; font-display: swap; "
            f"font-weight: {self.weight}; src: url({base}fonts/{self.file.name}) format('woff2'); "
            f"unicode-range: {self.unicode_range}; }}"
        )


@dataclass(frozen=True)
class _Family:
    family: str
    package: str
    stem: str
    cuts: tuple[tuple[str, str, str], ...]  # (file part, CSS weight, style)


FAMILIES = (
    _Family(
        "IBM Plex Sans",
        "@fontsource/ibm-plex-sans",
        "ibm-plex-sans",
        (("400-normal", "400", "normal"), ("500-normal", "500", "normal"), ("600-normal", "600", "normal")),
    ),
    _Family(
        "IBM Plex Mono",
        "@fontsource/ibm-plex-mono",
        "ibm-plex-mono",
        (("400-normal", "400", "normal"), ("600-normal", "600", "normal")),
    ),
    _Family(
        "Source Serif 4 Variable",
        "@fontsource-variable/source-serif-4",
        "source-serif-4",
        (("wght-normal", "200 900", "normal"), ("wght-italic", "200 900", "italic")),
    ),
)


def faces() -> Iterator[Face]:
    """Yield every face of the book.

    Raises:
        ValueError: a @fontsource package, or a file of it, is missing.
    """
    for family in FAMILIES:
        folder = PACKAGES / family.package
        try:
            ranges: dict[str, str] = json.loads((folder / "unicode.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ValueError(f"the npm package {family.package} is missing; run `npm ci`") from None
        for part, weight, style in family.cuts:
            # Plex Mono has no Greek.
            for subset in (s for s in SUBSETS if s in ranges):
                file = folder / "files" / f"{family.stem}-{subset}-{part}.woff2"
                if not file.is_file():
                    raise ValueError(f"{family.package} lacks {file.name}; run `npm ci`")
                yield Face(family.family, weight, style, ranges[subset], file)


def fonts_css(base: str = "") -> str:
    """Return every `@font-face`, and the local fallbacks with the faces' metrics.

    Args:
        base: leads from the style sheet to the folder that holds `fonts/`; "" for `fonts.css` itself.
    """
    return "\n".join([*(face.css(base) for face in faces()), fallback_css()]) + "\n"


def write_faces(out: Path) -> None:
    """Copy the faces and their licences to `out/fonts/`, and write `out/fonts.css`."""
    folder = out / "fonts"
    folder.mkdir(parents=True, exist_ok=True)
    for face in faces():
        shutil.copyfile(face.file, folder / face.file.name)
    for family in FAMILIES:
        shutil.copyfile(PACKAGES / family.package / "LICENSE", folder / f"LICENSE-{family.stem}.txt")
    (out / "fonts.css").write_text(fonts_css(), encoding="utf-8")


def painter_fonts() -> Path:
    """Return a folder of TrueType files of the chart face, for vl-convert to measure and paint with.

    Each weight's subsets are merged into one file: the painter knows no `unicode-range`, and would
    look for a missing glyph in any face of the machine. Cached by the content of the woff2 files.
    """
    wanted = [f for f in faces() if f.family in ("IBM Plex Sans", "IBM Plex Mono")]
    digest = hashlib.sha256(b"".join(f.file.read_bytes() for f in wanted)).hexdigest()[:16]
    folder = ROOT / ".cache" / "fonts" / digest
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, suffix=".part"))
    for family, weight in sorted({(f.family, f.weight) for f in wanted}):
        files = [f.file for f in wanted if (f.family, f.weight) == (family, weight)]
        _merge(files[::-1], aside / f"{family.replace(' ', '')}-{weight}.ttf")
    try:
        aside.rename(folder)
    except OSError:
        # Another build came first; its fonts are the same.
        if not folder.is_dir():
            raise
        shutil.rmtree(aside)
    return folder


def _merge(subsets: list[Path], out: Path) -> None:
    """Write the union of one cut's subsets, Latin first, as TrueType."""
    from fontTools.merge import Merger, Options  # type: ignore[import-untyped]  # ships no types
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # ships no types

    plain = []
    for i, path in enumerate(subsets):
        font = TTFont(path)
        font.flavor = None
        step = out.with_suffix(f".{i}.tmp")
        font.save(step)
        plain.append(step)
    merged = Merger(Options(drop_tables=["DSIG"])).merge([str(p) for p in plain])
    merged.save(out)
    for step in plain:
        step.unlink()
