"""What the page of a sim must hold: its front matter and its sections."""

from __future__ import annotations

import re
from pathlib import Path

from build_scripts.markdown.errors import Problem
from build_scripts.markdown.source import FrontMatter

__all__ = ["KEYS", "SECTIONS", "check_sim_page"]

KEYS = (
    "title",
    "description",
    "chapter",
    "objective",
    "bloom",
    "grade",
    "minutes",
    "prerequisites",
    "keywords",
    "licence",
)
SECTIONS: dict[str, tuple[str, ...]] = {
    "About": (),
    "How to use": (),
    "Lesson plan": ("Objectives", "Activities", "Misconceptions"),
    "Assessment": (),
    "References": (),
}
_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*\s*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})")


def check_sim_page(path: Path, root: Path) -> list[Problem]:
    """Return what the sim page at `path` lacks; an empty list when it keeps the contract."""
    file = path.relative_to(root).as_posix()
    if not path.is_file():
        return [
            Problem(file, 1, "the sim has no page", f"Write it, with the front matter {', '.join(KEYS)}.")
        ]
    text = path.read_text(encoding="utf-8")
    try:
        front = FrontMatter.read(text)
    except ValueError as error:
        return [Problem(file, 1, str(error), "Quote values that hold a colon.")]
    problems = [
        Problem(file, 1, f"front matter lacks `{key}`", f"A sim's page has {', '.join(KEYS)}.")
        for key in KEYS
        if front.values.get(key) in (None, "", [])
    ]
    minutes = front.values.get("minutes")
    if minutes is not None and not (isinstance(minutes, int) and minutes > 0):
        problems.append(
            Problem(
                file,
                front.lines["minutes"],
                f"minutes must be a whole number, got {minutes!r}",
                "Write minutes: 20.",
            )
        )
    chapter = front.values.get("chapter")
    if chapter and not _chapter_exists(root, str(chapter)):
        problems.append(
            Problem(
                file,
                front.lines["chapter"],
                f"there is no chapter {chapter!r}",
                f"Name a folder of docs/chapters: {', '.join(_chapters(root)) or 'there is none yet'}.",
            )
        )
    return problems + _sections(file, text, front.end)


def _chapters(root: Path) -> list[str]:
    return sorted(p.parent.name for p in (root / "docs" / "chapters").glob("*/index.md"))


def _chapter_exists(root: Path, chapter: str) -> bool:
    return chapter in _chapters(root)


def _sections(file: str, text: str, front_end: int) -> list[Problem]:
    found: dict[tuple[str, str], int] = {}
    part, fence = "", ""
    last = front_end + 1
    for number, line in enumerate(text.split("\n"), 1):
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        heading = None if fence else _HEADING.match(line)
        if number <= front_end or not heading:
            continue
        level, title = len(heading[1]), heading[2]
        last = number
        if level == 2:
            part = title
            found[(title, "")] = number
        elif level == 3:
            found[(part, title)] = number
    problems = []
    for section, below in SECTIONS.items():
        if (section, "") not in found:
            problems.append(Problem(file, last, f"the section `## {section}` is missing", _order()))
            continue
        problems += [
            Problem(
                file,
                found[(section, "")],
                f"`## {section}` lacks `### {title}`",
                f"Below `## {section}` stand {', '.join(f'### {t}' for t in below)}.",
            )
            for title in below
            if (section, title) not in found
        ]
    return problems


def _order() -> str:
    return f"A sim's page has {', '.join(f'## {s}' for s in SECTIONS)}."
