"""Maths set at build: arithmatex marks the formulas, KaTeX renders them, the page gets no script."""

from __future__ import annotations

import re
from html import unescape

from build_scripts import maths
from build_scripts.markdown.book import Book
from build_scripts.markdown.errors import SyntaxProblem

__all__ = ["set_formula", "set_formulas", "wrapped"]

_MARKED = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\s*\\(?P<open>[(\[])(?P<latex>.*?)\\[)\]]\s*</(?P=tag)>'
    r"(?P<after>[.,;:!?)])?",
    re.S,
)
_JOINER = "\u2060"


def set_formulas(book: Book, html: str) -> str:
    """Return `html` with every formula that arithmatex marked set by KaTeX."""

    def one(found: re.Match[str]) -> str:
        latex, display = unescape(found["latex"]).strip(), found["open"] == "["
        line = book.current().locate(latex.partition("\n")[0])
        inner = book.attempt(line, lambda: set_formula(latex, display))
        # Without the joiner a line may break between a formula and its full stop.
        after = _JOINER + found["after"] if found["after"] else ""
        return wrapped(found["tag"], inner) + after

    book.current().rewind()
    return _MARKED.sub(one, html)


def wrapped(tag: str, inner: str) -> str:
    """Put a set formula into the element that marks it.

    What KaTeX writes says everything three times; the search index takes none of it. The comment
    marks the end, for the plugin.
    """
    return f'<{tag} class="arithmatex" data-search-exclude>{inner}</{tag}><!--formula-->'


def set_formula(latex: str, display: bool) -> str:
    """Set one formula.

    Raises:
        SyntaxProblem: KaTeX refuses it.
    """
    try:
        return maths.render(latex, display)
    except maths.MathsError as error:
        raise SyntaxProblem(str(error), "Mend the formula; it is set by KaTeX.") from None
