"""`(state:slug?tau=0.05)`: a link that sets an embedded sim, checked against the sim's controls."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from urllib.parse import parse_qsl, quote

from build_scripts.markdown.book import Book, Sim
from build_scripts.markdown.errors import SyntaxProblem, nearest
from build_scripts.markdown.paths import relative
from sim_engine.microsim import RESERVED, Choice, Control, Legend, Slider, Timeline, Toggle

__all__ = ["check_query", "open_tag", "sim_of"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.I)
_HIDEABLE = ("controls", "readouts", "actions", "title", "formula")
EMBED = ("frame", "theme", "hide", "text", "run")


def open_tag(book: Book, inside: str) -> str:
    """Return the `<a …>` of a state link.

    Raises:
        SyntaxProblem: no sim is meant, an unknown control, or a value it does not take.
    """
    slug, _, query = inside.rpartition("?") if "?" in inside else ("", "", inside)
    sim = sim_of(book, slug)
    checked = check_query(sim, query)
    href = relative(f"sims/{sim.slug}/main.html", book.current().url) + (f"?{checked}" if checked else "")
    return (
        f'<a class="state-link" data-sim="{sim.slug}" data-query="{escape(checked)}" href="{escape(href)}">'
    )


def sim_of(book: Book, slug: str) -> Sim:
    """Return the sim named, or the page's own, or the last one embedded above.

    Raises:
        SyntaxProblem: the name is unknown, or none is given and the page shows no sim yet.
    """
    page = book.current()
    if not slug:
        slug = page.shown[-1] if page.shown else page.sim or ""
    if not slug:
        raise SyntaxProblem(
            "no sim is named, and the page shows none above this line",
            f"Name it: {{control:SLUG.name}}, or (state:SLUG?name=value). {nearest('', book.slugs)}",
        )
    return book.sim(slug)


def check_query(sim: Sim, query: str) -> str:
    """Return the query in the form the player writes, each value checked.

    Raises:
        SyntaxProblem: an unknown name, or a value that the control does not take.
    """
    controls = sim.microsim.controls
    parts: list[str] = []
    for pair in filter(None, query.split("&")):
        if "=" not in pair:
            raise SyntaxProblem(
                f"{pair!r} is not of the form name=value", "Write, for example, tau=0.05&seed=3."
            )
        [(name, text)] = parse_qsl(pair, keep_blank_values=True) or [(pair.split("=")[0], "")]
        if name in controls:
            value = _parse(controls[name], name, text)
            try:
                controls[name].accept(name, value)
            except ValueError as error:
                raise SyntaxProblem(f"{sim.slug}: {error}", f"It takes {takes(controls[name])}.") from None
        elif name in EMBED:
            _check_embed(sim, name, text)
        else:
            raise SyntaxProblem(f"{sim.slug} has no control {name!r}", nearest(name, [*controls, *EMBED]))
        parts.append(f"{name}={quote(text, safe=',.-+')}")
    return "&".join(parts)


def _parse(control: Control, name: str, text: str) -> Any:
    if isinstance(control, Slider | Timeline):
        if not _NUMBER.fullmatch(text):
            raise SyntaxProblem(f"{name}={text} is not a number", f"It takes {takes(control)}.")
        return float(text)
    if isinstance(control, Toggle):
        if text not in ("1", "0", "true", "false", "on", "off"):
            raise SyntaxProblem(f"{name}={text} is neither on nor off", "It takes 1 or 0.")
        return text in ("1", "true", "on")
    if isinstance(control, Legend):
        return tuple(filter(None, text.split(",")))
    return text


def takes(control: Control) -> str:
    """Say what a control takes: "0.02 to 1", "on or off", "circle or sphere"."""
    if isinstance(control, Slider | Timeline):
        unit = f" {control.unit}" if control.unit else ""
        return f"{_plain(control.min)} to {_plain(control.max)}{unit}"
    if isinstance(control, Choice | Legend):
        options = control.options
        values = list(options.values()) if hasattr(options, "values") else [str(o) for o in options]
        if len(values) < 3 or isinstance(control, Choice):
            return ", ".join(values[:-1]) + (" or " if len(values) > 1 else "") + values[-1]
        return f"{values[0]} to {values[-1]}"
    return "on or off"


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _check_embed(sim: Sim, name: str, text: str) -> None:
    if name == "theme" and text not in ("light", "dark", "auto"):
        raise SyntaxProblem(f"theme={text} is not a theme", "It takes light, dark or auto.")
    if name == "text" and text != "off":
        raise SyntaxProblem(f"text={text} means nothing", "It takes off.")
    if name == "run" and text != "1":
        raise SyntaxProblem(f"run={text} means nothing", "It takes 1.")
    if name == "hide":
        known = [*sim.microsim.controls, *_HIDEABLE]
        for part in filter(None, text.split(",")):
            if part not in known:
                raise SyntaxProblem(f"hide={part}: {sim.slug} has no such part", nearest(part, known))
    if name == "frame":
        timeline = next((c for c in sim.microsim.controls.values() if isinstance(c, Timeline)), None)
        whole = text.isdecimal()
        if sim.microsim.kind == "explorer":
            raise SyntaxProblem(f"frame={text}: {sim.slug} has no frames", "Leave `frame` out.")
        if not whole or (timeline and not timeline.min <= int(text) <= timeline.max):
            wanted = takes(timeline) if timeline else "a whole number from 0"
            raise SyntaxProblem(f"frame={text} is out of range", f"It takes {wanted}.")


assert set(EMBED) <= RESERVED  # a control of such a name could not be told from the embed's own
