"""`{sim:slug tau=0.1 hide=seed}`: a sim embedded in a page."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl

from build_scripts.markdown.book import Book
from build_scripts.markdown.cover import cover
from build_scripts.markdown.errors import SyntaxProblem
from build_scripts.markdown.paths import relative
from build_scripts.markdown.states import check_query

__all__ = ["embed", "iframe", "snippet"]

# Widths of the text column that an embed's height is reckoned for: beside both sidebars, on a
# tablet, on a phone. The style sheet chooses among them, until the sim itself says its height.
WIDE, MIDDLE, NARROW = 800, 620, 350


def embed(book: Book, inside: str | None, *, own_page: bool = False) -> str:
    """Return the figure of an embedded sim, at the state that the options name.

    Args:
        own_page: it is the sim of this page, above the text: shown at once, without a link here.

    Raises:
        SyntaxProblem: an unknown sim, an unknown control, or a value it does not take.
    """
    words = (inside or "").split()
    if not words:
        raise SyntaxProblem("{sim} names no sim", f"Write {{sim:{(book.slugs or ['slug'])[0]}}}.")
    sim = book.sim(words[0])
    query = check_query(sim, "&".join(words[1:]))
    page = book.current()
    first = own_page or not page.shown
    if not own_page:
        page.shown.append(sim.slug)
    address = relative(f"sims/{sim.slug}/main.html", page.url) + (f"?{query}" if query else "")
    hidden = frozenset(dict(parse_qsl(query)).get("hide", "").split(","))
    wide, middle, narrow = (book.height(sim.slug, width, hidden) for width in (WIDE, MIDDLE, NARROW))
    style = f' style="--high: {wide}px; --high-middle: {middle}px; --high-narrow: {narrow}px"'
    # A cover for the sim that the reader meets first; one in another state than the painted has none.
    covered = first and book.painted and set(dict(parse_qsl(query))) <= {"hide"}
    # A frame is another page for the same thread: under a cover it waits until the picture is laid out.
    frame = iframe(address, wide, sim.title, "eager" if first and not covered else "lazy", style)
    if covered and book.painted:
        painted = cover(book.painted(sim.slug), hidden, relative(f"sims/{sim.slug}/", page.url))
        # The picture comes first in the file too, and has its room from the start.
        frame = f'<div class="embed-stage"{style}>{painted}{frame}</div>'
    about = relative(f"sims/{sim.slug}/", page.url)
    links = (
        f'<p class="embed-links" data-search-exclude><a href="{escape(address)}">Full screen</a> '
        f'<a href="{escape(about)}">About this microsim</a></p>'
    )
    # A sim's own page has these links at its end.
    return f'<figure class="embed" data-sim="{sim.slug}">{frame}{"" if own_page else links}</figure>'


def iframe(address: str, height: int, title: str, loading: str, more: str = "") -> str:
    """Return the frame; `src width height title loading` is all that an embedder needs."""
    return (
        f'<iframe src="{escape(address)}" width="100%" height="{height}" title="{escape(title)}" '
        f'loading="{loading}" allow="fullscreen; clipboard-write"{more}></iframe>'
    )


def snippet(book: Book, slug: str, address: str) -> str:
    """Return the HTML that an embedder pastes."""
    sim = book.sim(slug)
    return (
        f'<iframe src="{address}"\n        width="100%" height="{book.height(slug, WIDE)}"\n'
        f'        title="{escape(sim.title)}" loading="lazy"></iframe>'
    )
