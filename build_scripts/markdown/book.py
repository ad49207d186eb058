"""What a page may refer to: the sims, the bibliography, and the numbers that the engine computes."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from build_scripts.bibliography import Bibliography
from build_scripts.markdown.errors import Problem, SimProblem, SyntaxProblem, nearest
from build_scripts.markdown.source import FrontMatter, Source
from sim_engine.bridge import load_microsim
from sim_engine.microsim import Microsim

__all__ = ["Book", "Sim"]

# Room for a sim whose height nobody can tell (a build without the sims).
UNMEASURED = 640
Measure = Callable[[str, int, frozenset[str]], int]


@dataclass(frozen=True)
class Sim:
    """One microsim, as pages see it.

    Attributes:
        slug: folder and address.
        folder: `sims/<slug>`.
        microsim: its controls and compute.
        meta: front matter of its page; empty when it has none.
    """

    slug: str
    folder: Path
    microsim: Microsim
    meta: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.meta.get("title") or self.slug.replace("-", " ").capitalize())

    @property
    def description(self) -> str:
        return str(self.meta.get("description") or self.microsim.doc)


@dataclass
class Book:
    """Everything a page may name, and what was wrong with the pages so far.

    Attributes:
        root: the project's folder.
        page: the page being rendered.
        problems: faults found so far.
        measure: tells how high a sim is, of its slug, a width and the parts that are hidden, in
            pixels; None where the sims are not rendered.
        painted: returns the rendered `main.html` of a slug; None where the sims are not rendered.
        asked: the slugs of the sims that `sim` was asked for.
    """

    root: Path
    page: Source | None = None
    problems: list[Problem] = field(default_factory=list)
    measure: Measure | None = None
    painted: Callable[[str], str] | None = None
    pages: dict[str, str] = field(default_factory=dict)
    cited_in: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    _sims: dict[str, Sim | Exception] = field(default_factory=dict)
    _bibliography: Bibliography | None = None

    @property
    def slugs(self) -> list[str]:
        """The sims there are, in order of their names."""
        return sorted(p.parent.name for p in (self.root / "sims").glob("*/sim.py"))

    def sim(self, slug: str) -> Sim:
        """Return a sim; its file runs the first time.

        Raises:
            SyntaxProblem: there is no such sim, or its file raises.
        """
        if slug not in self.slugs:
            raise SyntaxProblem(f"there is no sim {slug!r}", nearest(slug, self.slugs))
        self.asked.add(slug)
        if slug not in self._sims:
            self._sims[slug] = self._load(slug)
        found = self._sims[slug]
        if isinstance(found, Exception):
            file = f"sims/{slug}/sim.py"
            raise SimProblem(
                f"the sim cannot be read: {type(found).__name__}: {found}",
                "Mend it; the trace: `python -c 'from sim_engine.bridge import load_microsim; "
                f'load_microsim("{file}")\'`.',
                file,
                _line_in(found, self.root / file),
            )
        return found

    def _load(self, slug: str) -> Sim | Exception:
        folder = self.root / "sims" / slug
        try:
            microsim = load_microsim(folder / "sim.py")
        except Exception as error:  # whatever an author's file raises
            return error
        page = folder / "index.md"
        meta: dict[str, Any] = {}
        if page.is_file():
            try:
                meta = FrontMatter.read(page.read_text(encoding="utf-8")).values
            except ValueError:
                meta = {}  # page_contract reports it, with its line
        return Sim(slug, folder, microsim, meta)

    @property
    def bibliography(self) -> Bibliography:
        """`docs/references.bib`, read once."""
        if self._bibliography is None:
            self._bibliography = Bibliography.read(self.root / "docs" / "references.bib")
        return self._bibliography

    def height(self, slug: str, width: int, hidden: frozenset[str] = frozenset()) -> int:
        """Return about how high a sim is at `width`, both in pixels, without what is hidden."""
        return self.measure(slug, width, hidden) if self.measure else UNMEASURED

    def current(self) -> Source:
        """Return the page being rendered; outside a page, an empty one."""
        if self.page is None:
            self.page = Source("(text)", "")
        return self.page

    def attempt(self, line: int, work: Callable[[], str]) -> str:
        """Return what `work` returns; on a fault, note it at `line` and return a visible mark."""
        try:
            return work()
        except SyntaxProblem as fault:
            if isinstance(fault, SimProblem):
                problem = Problem(fault.file, fault.at, fault.message, fault.remedy)
            else:
                problem = Problem(self.current().file, line + fault.line, fault.message, fault.remedy)
            if problem not in self.problems:
                self.problems.append(problem)
            return f'<strong class="authoring-error">{_escape(str(problem))}</strong>'


def _line_in(error: BaseException, file: Path) -> int:
    """The line of `file` at which `error` was raised; 1 when it is not in the trace."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 1
    for cause in (error, error.__cause__, error.__context__):
        lines = [
            number
            for frame, number in traceback.walk_tb(cause.__traceback__ if cause else None)
            if frame.f_code.co_filename == str(file)
        ]
        if lines:
            return lines[-1]
    return 1


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
