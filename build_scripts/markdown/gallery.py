"""`{gallery}`: a card for every sim, from its front matter and its poster."""

from __future__ import annotations

from html import escape

from build_scripts.markdown.book import Book
from build_scripts.markdown.paths import relative

__all__ = ["gallery"]


def gallery(book: Book) -> str:
    """Return the cards of all sims, by their slugs' order."""
    level = 3 if "\n## " in book.current().text else 2
    return f'<ul class="gallery">{"".join(_card(book, slug, level) for slug in book.slugs)}</ul>'


def _card(book: Book, slug: str, level: int) -> str:
    sim = book.sim(slug)
    page = book.current().url
    facts = [str(sim.meta[k]) for k in ("grade", "bloom") if sim.meta.get(k)]
    if sim.meta.get("minutes"):
        facts.append(f"{sim.meta['minutes']} minutes")
    light, dark = (relative(f"sims/{slug}/{name}", page) for name in ("poster.png", "poster-dark.png"))
    return (
        f'<li class="card"><a class="card-picture" href="{relative(f"sims/{slug}/", page)}" tabindex="-1" '
        f'aria-hidden="true"><img class="only-light" src="{light}" alt="" loading="lazy">'
        f'<img class="only-dark" src="{dark}" alt="" loading="lazy"></a>'
        f'<h{level} class="card-title"><a href="{relative(f"sims/{slug}/", page)}">{escape(sim.title)}</a>'
        f"</h{level}>"
        f'<p>{escape(sim.description)}</p><p class="card-facts">{escape(" · ".join(facts))}</p></li>'
    )
