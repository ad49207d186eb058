"""The generated parts of a sim's page: what it is, the sim, ways to take it away, where it belongs."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from build_scripts.markdown.book import Book, Sim
from build_scripts.markdown.paths import relative
from build_scripts.markdown.sims import embed, snippet

__all__ = ["above", "below"]


def above(book: Book, slug: str, chapter_title: str) -> str:
    """Return what stands over the page's text: title, objective, facts and the sim itself."""
    sim = book.sim(slug)
    facts = "".join(
        f"<div><dt>{escape(k)}</dt><dd>{v}</dd></div>" for k, v in _facts(book, sim, chapter_title)
    )
    return (
        f'<p class="lwl-eyebrow">Microsim</p><h1 id="{slug}">{escape(sim.title)}</h1>'
        f'<p class="lede">{escape(sim.description)}</p>{embed(book, f"{slug} hide=title", own_page=True)}'
        f'<dl class="facts">{facts}</dl>'
    )


def below(book: Book, slug: str, edit_url: str | None, site_url: str) -> str:
    """Return what stands under the page's text: embed code, data, and the ways on.

    Args:
        edit_url: where the page's source is edited; None when the repository's address is unknown.
        site_url: the site's own address, for the embed code; empty when unknown.
    """
    sim = book.sim(slug)
    address = (
        f"{site_url.rstrip('/')}/sims/{slug}/main.html"
        if site_url
        else f"https://YOUR-SITE/sims/{slug}/main.html"
    )
    code = escape(snippet(book, slug, address))
    page = book.current().url
    edit = (
        f'<a href="{escape(edit_url)}" rel="edit">Edit this page</a>'
        if edit_url
        else f"<span>Source: <code>sims/{slug}/</code></span>"
    )
    ways = (
        f'<a href="{relative(f"sims/{slug}/main.html", page)}">Full screen</a>'
        f'{edit}<a href="{relative("sims/", page)}">All microsims</a>'
    )
    said = (
        ""
        if site_url
        else '<p class="small">Put the address of this book in place of <code>YOUR-SITE</code>.</p>'
    )
    return (
        '<section class="take-away" data-search-exclude><h2 id="embed-it">Embed it</h2>'
        "<p>Paste this into a page, an LMS or a slide. It asks for no script on your side, "
        "and every control can be set in the address, for example <code>?theme=dark</code>.</p>"
        f'<div class="highlight"><pre><code class="language-html">{code}</code></pre></div>{said}'
        f"{_provenance(sim)}"
        f'<p class="ways">{ways}</p></section>'
    )


def _facts(book: Book, sim: Sim, chapter_title: str) -> list[tuple[str, str]]:
    meta = sim.meta
    chapter = relative(f"chapters/{meta.get('chapter', '')}/", book.current().url)
    minutes = meta.get("minutes")
    rows: list[tuple[str, Any]] = [
        ("You will", escape(_text(meta.get("objective")))),
        ("Chapter", f'<a href="{escape(chapter)}">{escape(chapter_title)}</a>' if chapter_title else ""),
        ("Time", f"{minutes} minutes" if minutes else ""),
        ("Level", escape(_text(meta.get("grade")))),
        ("Bloom", escape(_text(meta.get("bloom")))),
        ("Needs", escape(_text(meta.get("prerequisites")))),
        ("Licence", escape(_text(meta.get("licence")))),
    ]
    return [(k, v) for k, v in rows if v]


def _text(value: Any) -> str:
    return ", ".join(str(v) for v in value) if isinstance(value, list) else str(value or "")


def _provenance(sim: Sim) -> str:
    """Say where the recorded data came from; empty for a sim that has none."""
    path = sim.folder / "data" / "manifest.json"
    if not path.is_file():
        return ""
    manifest = json.loads(path.read_text(encoding="utf-8"))
    dataset = manifest.get("dataset", {})
    seeds = ", ".join(f"{k} {v}" for k, v in manifest.get("seeds", {}).items())
    versions = ", ".join(f"{k} {v}" for k, v in manifest.get("versions", {}).items())
    wall = manifest.get("wall_time_s")
    size = sum(f.stat().st_size for f in path.parent.iterdir() if f.is_file())
    rows = [
        ("Recipe", f"<code>{escape(str(manifest.get('recipe', '')))}</code>"),
        ("Dataset", escape(str(dataset.get("name", "")))),
        ("Its licence", escape(str(dataset.get("licence", "")))),
        ("Run on", escape(str(manifest.get("device", "")))),
        ("It took", f"{wall:.0f} s" if isinstance(wall, int | float) else ""),
        ("Seeds", escape(seeds)),
        ("Versions", escape(versions)),
        ("Here", f"{len(manifest.get('arrays', {}))} arrays, {size / 1024:.0f} KiB"),
    ]
    body = "".join(f"<div><dt>{k}</dt><dd>{v}</dd></div>" for k, v in rows if v)
    command = f"make data NAME={manifest.get('recipe', '')}"
    return (
        '<h2 id="data">Where the data comes from</h2>'
        "<p>What this sim shows was recorded, not invented. "
        f"<code>{escape(command)}</code> makes it again.</p>"
        f'<dl class="facts facts--data">{body}</dl>'
    )
