"""The book's sources: `docs/references.bib`, read by pybtex, as labels and as entries."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pybtex.database import Entry, Person, parse_file
from pybtex.exceptions import PybtexError

__all__ = ["Bibliography"]

_MARKUP = {"--": "–", "``": "“", "''": "”", "~": " ", r"\_": "_", r"\&": "&", r"\%": "%"}
_ACCENTS = {
    "'": "\u0301",
    "`": "\u0300",
    '"': "\u0308",
    "^": "\u0302",
    "~": "\u0303",
    "c": "\u0327",
    "v": "\u030c",
}
_VENUE = ("journal", "booktitle", "publisher", "howpublished", "school", "institution")


@dataclass(frozen=True)
class Bibliography:
    """The entries of one `.bib` file, by key."""

    entries: dict[str, Entry]
    lines: dict[str, int]

    @classmethod
    def read(cls, path: Path) -> Bibliography:
        """Read `path`.

        Raises:
            ValueError: the file is missing or is not BibTeX; the message has file and line.
        """
        try:
            data = parse_file(str(path), bib_format="bibtex")
        except (PybtexError, OSError) as error:
            raise ValueError(f"{path}: not a bibliography: {error}") from None
        text = path.read_text(encoding="utf-8").splitlines()
        heads = {m[1]: i for i, row in enumerate(text, 1) if (m := re.match(r"@\w+\{\s*([^,\s]+),", row))}
        return cls(dict(data.entries), heads)

    @property
    def keys(self) -> list[str]:
        return sorted(self.entries, key=self._order)

    def label(self, key: str) -> str:
        """Return the author-year label, "Chen et al. 2020"."""
        entry = self.entries[key]
        names = [_family(p) for p in entry.persons.get("author", entry.persons.get("editor", []))]
        who = names[0] if names else _plain(entry.fields.get("title", key))
        if len(names) == 2:
            who = f"{names[0]} & {names[1]}"
        elif len(names) > 2:
            who = f"{names[0]} et al."
        return f"{who} {entry.fields.get('year', 'n.d.')}"

    def html(self, key: str) -> str:
        """Return the entry as a line of HTML: authors, year, title, venue, address."""
        entry = self.entries[key]
        field = entry.fields
        people = [_person(p) for p in entry.persons.get("author", entry.persons.get("editor", []))]
        if len(people) > 8:
            people = [*people[:6], "…", people[-1]]
        who = (
            escape(", ".join(people[:-1]) + (" and " if len(people) > 1 else "") + people[-1])
            if people
            else ""
        )
        head = (
            f"{who} ({escape(field.get('year', 'n.d.'))})."
            if who
            else f"({escape(field.get('year', 'n.d.'))})."
        )
        title = f"<cite>{escape(_plain(field.get('title', key)).rstrip('.'))}</cite>."
        venue = next((_plain(field[name]) for name in _VENUE if name in field), "")
        if venue and field.get("volume"):
            venue += f" {_plain(field['volume'])}"
        if venue and field.get("pages"):
            venue += f", {_plain(field['pages'])}"
        parts = [head, title, f"{escape(venue)}." if venue else "", _link(entry)]
        return " ".join(filter(None, parts))

    def _order(self, key: str) -> tuple[str, str]:
        return self.label(key).casefold(), key


def _link(entry: Entry) -> str:
    field = entry.fields
    if "eprint" in field:
        return (
            f'<a href="https://arxiv.org/abs/{escape(field["eprint"])}">arXiv:{escape(field["eprint"])}</a>'
        )
    if "doi" in field:
        return f'<a href="https://doi.org/{escape(field["doi"])}">doi:{escape(field["doi"])}</a>'
    if "url" in field:
        return f'<a href="{escape(field["url"])}">online</a>'
    return ""


def _family(person: Person) -> str:
    return _plain(" ".join([*person.prelast_names, *person.last_names]))


def _person(person: Person) -> str:
    initials = " ".join(f"{_plain(n)[:1]}." for n in [*person.first_names, *person.middle_names] if _plain(n))
    return f"{initials} {_family(person)}".strip()


def _plain(text: str) -> str:
    """Turn the LaTeX of a field into characters: braces, accents, dashes."""
    for command, mark in _ACCENTS.items():
        pattern = rf"\{{?\\{re.escape(command)}\s*\{{?\\?([A-Za-z])\}}?\}}?"
        if command.isalpha():
            pattern = rf"\{{?\\{command}(?:\s+|\{{)\\?([A-Za-z])\}}?\}}?"
        text = re.sub(pattern, lambda m, mark=mark: m[1] + mark, text)  # type: ignore[misc]  # bound in the loop
    for latex, character in _MARKUP.items():
        text = text.replace(latex, character)
    return unicodedata.normalize("NFC", text.replace("{", "").replace("}", "").replace("\\", ""))
