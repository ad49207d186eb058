"""Everything of the site that MkDocs does not make: look, formulas' fonts, player, runtime, sims."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from build_scripts.render_sims import SimPage

__all__ = ["PartError", "Parts", "requirements"]

NPM = ("esbuild", "katex", "vega", "pyodide")
# Height of the row of buttons under a sim, with its rule and margins, in pixels.
ACTIONS = 55


class PartError(Exception):
    """A part cannot be made; the message has the file, what is wrong and the remedy."""


@dataclass
class Parts:
    """The parts, made under `build/` and kept there until their inputs change.

    Attributes:
        root: the project's folder.
        report: called with a line of progress.
        pages: the rendered sims, by slug.
        errors: what failed in the last `make`.
    """

    root: Path
    report: Callable[[str], None]
    pages: dict[str, SimPage] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @property
    def build(self) -> Path:
        return self.root / "build"

    def make(self, *, sims: bool) -> None:
        """Make what is out of date; faults go to `errors`, and what was made before stays.

        Args:
            sims: also make player, runtime and sims; without them the pages alone are built.
        """
        self.errors = requirements(self.root)
        if self.errors:
            return
        self._try(self._look)
        if sims:
            self._try(self._player)
            self._try(self._runtime)
            self._try(self._sims)

    def files(self, *, sims: bool) -> Iterator[tuple[str, Path]]:
        """Yield (address in the site, file) for everything made."""
        places = {"assets": self.build / "assets"}
        if sims:
            places |= {
                "sims/_player": self.build / "player",
                "runtime": self.build / "runtime",
                "sims": self.build / "sims",
            }
        for prefix, folder in places.items():
            for path in sorted(folder.rglob("*")):
                inner = path.relative_to(folder)
                if path.is_file() and not any(part.startswith(".") for part in inner.parts):
                    yield f"{prefix}/{inner.as_posix()}", path

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (PartError, ValueError, OSError, RuntimeError) as error:
            self.errors.append(str(error))

    def _look(self) -> None:
        from mkdocs_quiz.plugin import js_content

        from build_scripts import look, maths

        out = self.build / "assets"
        inputs = [*(self.root / "build_scripts" / "look").glob("*.*"), self.root / "package-lock.json"]
        if self._fresh("look", inputs, out, extra=js_content):
            return
        shutil.rmtree(out, ignore_errors=True)
        look.write(out)
        maths.write_assets(out / "katex")
        (out / "quiz.js").write_text(js_content, encoding="utf-8")
        self._made("look", inputs, extra=js_content)

    def _player(self) -> None:
        folder, out = self.root / "sims" / "player", self.build / "player"
        inputs = [p for p in folder.rglob("*") if p.is_file()] + [self.root / "package-lock.json"]
        if self._fresh("player", inputs, out):
            return
        done = subprocess.run(  # our own script
            ["node", "sims/player/build.mjs"], cwd=self.root, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise PartError(
                f"sims/player: the player does not build:\n{(done.stderr or done.stdout).strip()}"
            )
        self._made("player", inputs)
        self.report("player built")

    def _runtime(self) -> None:
        from build_scripts import runtime

        runtime.build(self.build / "runtime")

    def _sims(self) -> None:
        from build_scripts import render_sims

        pages = render_sims.build(self.root / "sims", self.build / "sims", report=self.report)
        self.pages = {page.slug: page for page in pages}

    def painted(self, slug: str) -> str:
        """Return the rendered page of a sim."""
        return (self.pages[slug].out / "main.html").read_text(encoding="utf-8")

    def height(self, slug: str, width: int, hidden: frozenset[str]) -> int:
        """Return about how high an embed of the sim is without the parts named in `hidden`."""
        page = self.pages[slug]
        spec = dict(page.spec)
        spec["controls"] = [c for c in spec["controls"] if not hidden & {c["name"], "controls"}]
        if "readouts" in hidden:
            spec["readouts"] = []
        if "title" in hidden:
            spec["title"] = ""
        actions = ACTIONS if "actions" in hidden else 0
        return replace(page, spec=spec).embed_height(width) - actions

    def _fresh(self, name: str, inputs: list[Path], out: Path, extra: str = "") -> bool:
        stamp = self.build / f".{name}.key"
        return out.is_dir() and stamp.is_file() and stamp.read_text() == _key(inputs, extra)

    def _made(self, name: str, inputs: list[Path], extra: str = "") -> None:
        (self.build / f".{name}.key").write_text(_key(inputs, extra))


def _key(inputs: list[Path], extra: str) -> str:
    digest = hashlib.sha256(sys.version.encode() + extra.encode())
    for path in sorted(set(inputs)):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def requirements(root: Path) -> list[str]:
    """Return what is missing to make the parts, each with its remedy."""
    if shutil.which("node") is None:
        return [
            "Node is missing: formulas, the player and the sims are made with it. Install Node 20 or newer."
        ]
    lacking = [name for name in NPM if not (root / "node_modules" / name / "package.json").is_file()]
    if lacking:
        return [f"npm packages are missing: {', '.join(lacking)}. Run `npm ci` in {root}."]
    return []
