"""Is every `<quiz>` of a page one that mkdocs-quiz can show? It says so itself, but without the line."""

from __future__ import annotations

import re

from build_scripts.markdown.errors import Problem
from build_scripts.markdown.scan import hide_code
from build_scripts.markdown.source import Source

__all__ = ["check_quizzes"]

_QUIZ = re.compile(r"<quiz>(?P<inside>.*?)</quiz>", re.S)
_ANSWER = re.compile(r"^\s*[-*] \[(?P<mark>.?)\] ?(?P<text>.*)$", re.M)
_BLANK = re.compile(r"\[\[[^\]]+\]\]")
_FORM = "Write answers as `- [x] right` and `- [ ] wrong`, or a blank as [[answer]]."


def check_quizzes(source: Source) -> list[Problem]:
    """Return the faults of the page's quizzes."""
    problems = []
    text = hide_code(source.text)

    def fault(at: int, message: str, remedy: str = _FORM) -> None:
        problems.append(Problem(source.file, text.count("\n", 0, at) + 1, message, remedy))

    for found in _QUIZ.finditer(text):
        inside, start = found["inside"], found.start("inside")
        if _BLANK.search(inside):
            continue
        answers = list(_ANSWER.finditer(inside))
        for answer in answers:
            if answer["mark"] not in ("x", "X", " "):
                fault(start + answer.start("mark"), f"[{answer['mark']}] marks no answer")
        if len(answers) < 2:
            fault(found.start(), f"the quiz has {len(answers)} answers; two are the least")
        elif not any(a["mark"] in "xX" and a["mark"] for a in answers):
            fault(found.start(), "no answer of the quiz is right")
        if answers and not inside[: answers[0].start()].strip():
            fault(found.start(), "the quiz asks nothing", "Put the question above the answers.")
    if text.count("<quiz>") != text.count("</quiz>"):
        fault(text.find("<quiz>"), "a <quiz> is not closed, or closed twice", "Each <quiz> has one </quiz>.")
    return problems
