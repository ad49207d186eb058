"""`{value: floors.equal(256) | .2f}`: a number computed at build."""

from __future__ import annotations

import math
import re
from html import escape
from typing import Any

import numpy as np

from build_scripts.markdown.book import Book
from build_scripts.markdown.errors import SyntaxProblem
from build_scripts.markdown.evaluate import evaluate

__all__ = ["shown", "value"]

_FORMAT = re.compile(r",?(\.\d{1,2})?[fegd%]?")


def value(book: Book, inside: str | None, *, latex: bool = False) -> str:
    """Return the number as text for a page (or for a formula).

    Raises:
        SyntaxProblem: the expression is not allowed, raises, or gives no number.
    """
    # `\\|` is how a bar is written in a table's cell elsewhere; it does no harm here.
    expression, _, spec = (inside or "").replace("\\|", "|").partition("|")
    spec = spec.strip()
    if not _FORMAT.fullmatch(spec):
        raise SyntaxProblem(f"{spec!r} is no format", "Use one like .2f, .3g, ,d or .0%.")
    number = evaluate(book, expression.strip())
    if isinstance(number, str) and not spec and not latex:
        return f'<span class="value">{escape(number)}</span>'  # a device or a version, from a manifest
    text = shown(number, spec, expression.strip())
    if latex:
        return text.replace("%", r"\%").replace(",", "{,}")
    return f'<span class="value">{text.replace("-", "−")}</span>'


def shown(number: Any, spec: str, expression: str) -> str:
    """Format a number; without a format, whole numbers as they are and others to four digits.

    Raises:
        SyntaxProblem: `number` is not one finite number.
    """
    if isinstance(number, np.ndarray) and number.ndim == 0:
        number = number.item()
    if isinstance(number, np.generic):
        number = number.item()
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise SyntaxProblem(
            f"{expression!r} gives {type(number).__name__} {str(number)[:60]}, not one finite number",
            "Pick one number: an index, an attribute, or a mean.",
        )
    if spec.endswith("d") and isinstance(number, float) and number.is_integer():
        number = int(number)
    try:
        text = format(number, spec or ("d" if isinstance(number, int) else ".4g"))
    except ValueError as error:
        raise SyntaxProblem(f"{spec!r} cannot show {number!r}: {error}", "Use one like .2f or .3g.") from None
    mantissa, e, exponent = text.partition("e")
    return f"{mantissa}×10<sup>{int(exponent)}</sup>" if e else text
