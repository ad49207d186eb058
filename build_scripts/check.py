"""Every promise of the book that can be checked without building the site.

    python -m build_scripts.check

prints each fault as `file:line: what is wrong` with its remedy, and exits with 1 when there is one.
Style and types are ruff's and mypy's business (`make check` runs them after this).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import yaml
from markdown import Markdown
from mkdocs.utils.yaml import get_yaml_loader

from build_scripts.data_check import check_data, line_of
from build_scripts.host_check import check_hosts
from build_scripts.markdown import AuthoringExtension, Book, Problem, Source, SyntaxProblem
from build_scripts.markdown.page_contract import check_sim_page
from build_scripts.markdown.quiz_check import check_quizzes
from build_scripts.markdown.source import FrontMatter
from build_scripts.markdown.survey import survey

__all__ = ["ROOT", "check", "main"]

ROOT = Path(__file__).resolve().parents[1]


def check(root: Path) -> list[Problem]:
    """Return every fault of the sources under `root`, sorted by file and line."""
    return sorted({p for _, find in _checks(root) for p in find()})


def _checks(root: Path) -> list[tuple[str, Callable[[], Iterable[Problem]]]]:
    return [
        ("sims", lambda: check_sims(root)),
        ("recorded data", lambda: check_data(root)),
        ("recipes", lambda: check_recipes(root)),
        ("pages", lambda: check_pages(root)),
        ("other hosts", lambda: check_hosts(root)),
    ]


def check_sims(root: Path) -> list[Problem]:
    """Every sim loads, computes at its defaults and at each control's ends, and has its page."""
    book = Book(root)
    problems = []
    for slug in book.slugs:
        problems += check_sim_page(root / "sims" / slug / "index.md", root)
        try:
            sim = book.sim(slug)
        except SyntaxProblem as fault:
            problems.append(Problem(f"sims/{slug}/sim.py", 1, fault.message, fault.remedy))
            continue
        microsim = sim.microsim
        states = [
            {},
            *({n: v} for n, c in microsim.controls.items() for v in (c.values(3)[0], c.values(3)[-1])),
        ]
        for state in states:
            try:
                frame = microsim(**state)
                if microsim.kind == "process":
                    next(frame)
            except Exception as error:  # whatever an author's file raises
                shown = ", ".join(f"{k}={v!r}" for k, v in state.items()) or "its defaults"
                problems.append(
                    Problem(
                        f"sims/{slug}/sim.py",
                        line_of(
                            (root / f"sims/{slug}/sim.py").read_text(encoding="utf-8"), f"def {microsim.name}"
                        ),
                        f"raises at {shown}: {type(error).__name__}: {error}",
                        "A sim answers at every value that its controls take.",
                    )
                )
        if microsim.name.replace("_", "-") != slug:
            problems.append(
                Problem(
                    f"sims/{slug}/sim.py",
                    1,
                    f"defines {microsim.name}, but its folder is {slug}",
                    "The function's name is the folder's, with _ for -.",
                )
            )
    return problems


def check_recipes(root: Path) -> list[Problem]:
    """Each committed manifest was written by its recipe as the recipe now stands."""
    if find_spec("torch") is None:
        print("recipes: torch is not installed, so their hashes were not compared (`make check` installs it)")
        return []
    from build_scripts.precompute.recipes import RECIPES
    from sim_engine.data import Recorded

    problems = []
    for name, recipe in RECIPES.items():
        folder = root / "sims" / recipe.slug / "data"
        file = f"sims/{recipe.slug}/data/manifest.json"
        try:
            recorded = Recorded(folder)
        except ValueError:
            continue  # check_data says what is wrong with it
        preset = recipe.preset(recorded.manifest.get("preset", "cpu"))
        if recorded.manifest.get("recipe_sha256") != recipe.sha256(preset):
            text = (folder / "manifest.json").read_text(encoding="utf-8")
            problems.append(
                Problem(
                    file,
                    line_of(text, '"recipe_sha256"'),
                    f"the data was made by another version of {name}",
                    f"Run `make data NAME={name}` and commit what it writes.",
                )
            )
    return problems


def check_pages(root: Path) -> list[Problem]:
    """Every page's syntax, formulas, citations and numbers, read the way the site reads them."""
    book = Book(root)
    extensions, settings = _markdown_settings(root)
    pages: list[tuple[str, Path, str | None]] = [
        (p.relative_to(root / "docs").as_posix(), p, None) for p in sorted((root / "docs").rglob("*.md"))
    ]
    pages += [(f"sims/{s}/index.md", root / "sims" / s / "index.md", s) for s in book.slugs]
    urls = [(name.removesuffix("index.md"), path) for name, path, _ in pages if path.is_file()]
    book.pages, book.cited_in = survey(urls)
    for name, path, slug in pages:
        if not path.is_file():
            continue
        book.page = Source.read(path, root, name.removesuffix("index.md"), slug)
        if slug:
            book.page.shown.append(slug)
        try:
            front = FrontMatter.read(book.page.text)
        except ValueError as error:
            book.problems.append(Problem(book.page.file, 1, str(error), "Quote values that hold a colon."))
            continue
        book.problems += check_quizzes(book.page)
        body = "\n".join(book.page.text.split("\n")[front.end :])
        Markdown(extensions=[*extensions, AuthoringExtension(book)], extension_configs=settings).convert(body)
    return book.problems


def _markdown_settings(root: Path) -> tuple[list[str], dict[str, dict[str, object]]]:
    """Read `markdown_extensions` of mkdocs.yml in the form that Python-Markdown takes."""
    config = yaml.load(
        (root / "mkdocs.yml").read_text(encoding="utf-8"), Loader=get_yaml_loader()
    )  # our own file
    names: list[str] = []
    settings: dict[str, dict[str, object]] = {}
    for entry in config["markdown_extensions"]:
        name, options = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
        names.append(name)
        settings[name] = options or {}
    return names, settings


def main() -> int:
    """Run every check; print the faults; return 1 when there is one."""
    faults: list[Problem] = []
    for name, find in _checks(ROOT):
        start = time.perf_counter()
        found = sorted(set(find()))
        faults += found
        verdict = f"{len(found)} fault(s)" if found else "ok"
        print(f"{name:<14} {verdict:<12} {time.perf_counter() - start:5.1f} s")
    for fault in faults:
        print(f"\n{fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
