"""`{control:tau}`: a control's own label and range, in running text."""

from __future__ import annotations

from html import escape

from build_scripts.markdown.book import Book
from build_scripts.markdown.errors import SyntaxProblem, nearest
from build_scripts.markdown.states import sim_of, takes

__all__ = ["control"]


def control(book: Book, inside: str | None) -> str:
    """Return the label and range of a control.

    Raises:
        SyntaxProblem: an unknown sim or control.
    """
    slug, _, name = (inside or "").rpartition(".")
    sim = sim_of(book, slug)
    if name not in sim.microsim.controls:
        raise SyntaxProblem(f"{sim.slug} has no control {name!r}", nearest(name, sim.microsim.controls))
    found = sim.microsim.controls[name]
    return (
        f'<span class="control-ref" data-sim="{sim.slug}" data-control="{name}">'
        f'<span class="control-ref__label">{escape(found.label)}</span> '
        f'<span class="control-ref__range">({escape(takes(found))})</span></span>'
    )
