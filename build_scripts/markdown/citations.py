"""`[@chen2020simple, eq. 1]`: a citation, the page's list of sources, and the book's."""

from __future__ import annotations

from html import escape

from build_scripts.markdown.book import Book
from build_scripts.markdown.errors import SyntaxProblem, nearest
from build_scripts.markdown.paths import relative

__all__ = ["bibliography", "cite", "keys_of", "page_list"]


def keys_of(inside: str) -> list[tuple[str, str]]:
    """Return the (key, place) pairs of `@a, eq. 1; @b`."""
    pairs = []
    for part in inside.split(";"):
        key, _, place = part.strip().partition(",")
        pairs.append((key.strip().removeprefix("@"), place.strip()))
    return pairs


def cite(book: Book, inside: str) -> str:
    """Return the citation, "(Chen et al. 2020, eq. 1)", linked to the page's list.

    Raises:
        SyntaxProblem: a key that the bibliography lacks.
    """
    try:
        sources = book.bibliography
    except ValueError as error:
        raise SyntaxProblem(str(error), "Mend docs/references.bib.") from None
    page = book.current()
    shown = []
    for key, place in keys_of(inside):
        if key not in sources.entries:
            raise SyntaxProblem(
                f"docs/references.bib has no entry {key!r}", f"Add it there. {nearest(key, sources.entries)}"
            )
        if key not in page.cited:
            page.cited.append(key)
        label = f'<a href="#ref-{escape(key)}">{escape(sources.label(key))}</a>'
        shown.append(label + (f", {escape(place)}" if place else ""))
    return f'<span class="cite">({"; ".join(shown)})</span>'


def page_list(book: Book, *, heading: bool) -> str:
    """Return the sources that the page cites, in order of their labels; empty when it cites none.

    Args:
        heading: put the heading "References" above.
    """
    sources, page = book.bibliography, book.current()
    cited = [key for key in sources.keys if key in page.cited]
    if not cited:
        return ""
    items = "".join(f'<li id="ref-{escape(k)}">{sources.html(k)}</li>' for k in cited)
    head = '<h2 id="references">References</h2>' if heading else ""
    return f'{head}<ul class="references">{items}</ul>'


def bibliography(book: Book) -> str:
    """Return every source of the book, each with the pages that cite it (`{bibliography}`)."""
    sources = book.bibliography
    rows = []
    for key in sources.keys:
        where = ", ".join(
            f'<a href="{escape(relative(url, book.current().url))}#ref-{escape(key)}">{escape(title)}</a>'
            for url, title in book.cited_in.get(key, [])
        )
        cited = f'<span class="references__where">Cited in {where}.</span>' if where else ""
        rows.append(f'<li id="ref-{escape(key)}">{sources.html(key)} {cited}</li>')
    return f'<ul class="references">{"".join(rows)}</ul>'
