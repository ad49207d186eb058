"""`:::predict`: the reader predicts, then runs; the expected answer is computed at build."""

from __future__ import annotations

import json
import math
import re
from html import escape
from typing import Any

import yaml

from build_scripts.markdown.book import Book
from build_scripts.markdown.errors import SyntaxProblem, nearest
from build_scripts.markdown.evaluate import evaluate
from build_scripts.markdown.states import open_tag
from build_scripts.markdown.values import shown

__all__ = ["predict"]

NEEDED = ("question", "answer")
KEYS = (*NEEDED, "choices", "tolerance", "unit", "format", "check", "right", "wrong")


def predict(book: Book, body: str, number: int) -> str:
    """Return the question as Markdown with HTML around it (for `md_in_html`).

    Args:
        body: YAML; `question` and `answer` (an expression), and either `choices` (a list, one of
            which the answer gives) or a number with `tolerance` (absolute, or a share as "5%"),
            `unit`, `format`; `check` a state link's target; `right` and `wrong` what is said.
        number: which question of the page.

    Raises:
        SyntaxProblem: a key is missing or unknown, or the answer does not fit the question.
    """
    fields, lines = _read(body)
    for key in NEEDED:
        if key not in fields:
            raise SyntaxProblem(f"a prediction needs `{key}:`", f"Keys: {', '.join(KEYS)}.")
    try:
        answer = evaluate(book, str(fields["answer"]))
    except SyntaxProblem as fault:
        raise SyntaxProblem(fault.message, fault.remedy, lines["answer"]) from None
    choices = fields.get("choices")
    form, expected = (
        _choices(choices, answer, number, lines["choices"])
        if choices is not None
        else _number(fields, answer, number, lines)
    )
    check = ""
    if "check" in fields:
        try:
            open_tag(book, str(fields["check"]))  # its faults belong to this line
        except SyntaxProblem as fault:
            raise SyntaxProblem(fault.message, fault.remedy, lines["check"]) from None
        link = f"[Run it and see](state:{fields['check']})"
        check = f'<div class="predict-check" markdown="block">\n\n{link}\n\n</div>'
    said = fields.get("right", "")
    missed = fields.get("wrong", "")
    data = escape(json.dumps(expected, sort_keys=True))
    return "\n".join(
        [
            f'<section class="predict" id="predict-{number}" data-expected="{data}" markdown="block">',
            '<p class="lwl-eyebrow">Predict, then run</p>',
            '<div class="predict-question" markdown="block">',
            "",
            str(fields["question"]).strip(),
            "",
            "</div>",
            form,
            check,
            '<details class="predict-answer" markdown="block">',
            "<summary>Answer</summary>",
            f"<p><strong>{expected['shown']}</strong></p>",
            '<div class="predict-right" markdown="block">',
            "",
            str(said).strip(),
            "",
            "</div>",
            '<div class="predict-wrong" markdown="block">',
            "",
            str(missed).strip(),
            "",
            "</div>",
            "</details>",
            "</section>",
        ]
    )


def _read(body: str) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        node = yaml.compose(body, Loader=yaml.SafeLoader)
        # Texts as they stand: `right: Yes` is a sentence, not a truth value.
        fields = yaml.load(body, Loader=yaml.BaseLoader)  # reads strings, lists and mappings alone
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise SyntaxProblem(
            f"the prediction is not YAML: {error.problem}",
            "Quote texts that hold a colon, or start them with |.",
            line,
        ) from None
    if not isinstance(fields, dict) or not isinstance(node, yaml.MappingNode):
        raise SyntaxProblem("a prediction is lines of `key: value`", f"Keys: {', '.join(KEYS)}.")
    lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    for key in fields:
        if key not in KEYS:
            raise SyntaxProblem(
                f"a prediction has no key {key!r}", nearest(str(key), KEYS), lines.get(str(key), 0)
            )
    return fields, lines


def _choices(choices: Any, answer: Any, number: int, line: int) -> tuple[str, dict[str, Any]]:
    if not isinstance(choices, list) or len(choices) < 2:
        raise SyntaxProblem("`choices` must list two or more", "Write them as a YAML list.", line)
    texts = [str(c) for c in choices]
    if answer not in texts:
        raise SyntaxProblem(
            f"the answer is {answer!r}, which is none of the choices", f"Choices: {', '.join(texts)}.", line
        )
    rows = "".join(
        f'<label><input type="radio" name="predict-{number}" value="{escape(t)}"> '
        f"<span>{escape(t)}</span></label>"
        for t in texts
    )
    form = (
        '<form class="predict-form"><fieldset><legend class="lwl-hidden">Your prediction</legend>'
        f"{rows}</fieldset>"
        '<button type="submit">Check my prediction</button></form>'
    )
    return form, {"kind": "choice", "value": answer, "shown": escape(str(answer))}


def _number(
    fields: dict[str, Any], answer: Any, number: int, lines: dict[str, int]
) -> tuple[str, dict[str, Any]]:
    try:
        text = shown(answer, str(fields.get("format", "")), str(fields["answer"]))
    except SyntaxProblem as fault:
        raise SyntaxProblem(fault.message, fault.remedy, lines["answer"]) from None
    unit = str(fields.get("unit", ""))
    value = float(answer)
    tolerance = _tolerance(fields.get("tolerance", "5%"), value, lines.get("tolerance", 0))
    label = f"Your prediction{f', in {unit}' if unit else ''}"
    form = (
        f'<form class="predict-form"><label><span>{escape(label)}</span> '
        f'<input type="text" inputmode="decimal" autocomplete="off" name="predict-{number}" size="8"></label>'
        '<button type="submit">Check my prediction</button></form>'
    )
    said = f"{text.replace('-', '−')} {escape(unit)}".strip()
    return form, {"kind": "number", "value": value, "tolerance": tolerance, "shown": said}


def _tolerance(raw: Any, value: float, line: int) -> float:
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*(%?)", str(raw))
    if not found:
        raise SyntaxProblem(f"tolerance {raw!r} is neither a number nor a share", "Write 0.05 or 5%.", line)
    number = float(found[1])
    width = abs(value) * number / 100 if found[2] else number
    if not (width > 0 and math.isfinite(width)):
        raise SyntaxProblem(
            f"tolerance {raw!r} leaves no room around {value:g}", "Give an absolute one, 0.05.", line
        )
    return width
