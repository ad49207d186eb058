"""The Python-Markdown extension that reads the book's own syntax."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

from build_scripts.markdown.book import Book
from build_scripts.markdown.citations import bibliography, cite
from build_scripts.markdown.controls import control
from build_scripts.markdown.errors import SyntaxProblem, nearest
from build_scripts.markdown.formulas import set_formulas
from build_scripts.markdown.gallery import gallery
from build_scripts.markdown.predict import predict
from build_scripts.markdown.scan import Token, scan
from build_scripts.markdown.sims import embed
from build_scripts.markdown.states import open_tag
from build_scripts.markdown.values import value

__all__ = ["AuthoringExtension"]

Handler = Callable[[Book, str | None], str]
BRACES: dict[str, Handler] = {
    "sim": embed,
    "control": control,
    "value": value,
    "gallery": lambda book, inside: gallery(book),
    "bibliography": lambda book, inside: bibliography(book),
}
BARE = ("gallery", "bibliography")


class AuthoringExtension(Extension):
    """`{sim:…}`, `{control:…}`, `(state:…)`, `{value:…}`, `[@…]`, `:::predict`, and maths.

    Args:
        book: what pages may refer to; it also collects the faults. Set `book.page` before each
            conversion, so that faults have a file and links are relative to it.
    """

    def __init__(self, book: Book, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.book = book

    def extendMarkdown(self, md: Markdown) -> None:  # Python-Markdown's name
        # After superfences has put the code aside (25), before raw HTML is parsed (20).
        md.preprocessors.register(_Syntax(md, self.book), "lwl_syntax", 24)
        # After MkDocs has made links relative (0): these are relative to the page already.
        md.treeprocessors.register(_StateLinks(md), "lwl_state_links", -5)
        # After stashed HTML is back in its place (30).
        md.postprocessors.register(_Formulas(md, self.book), "lwl_formulas", 5)


class _Syntax(Preprocessor):
    """Puts what each token stands for in its place, before Markdown looks at tables or lists."""

    def __init__(self, md: Markdown, book: Book) -> None:
        super().__init__(md)
        self.book = book
        self.predictions = 0

    def run(self, lines: list[str]) -> list[str]:
        self.book.current().rewind()
        return self._replace("\n".join(lines)).split("\n")

    def _replace(self, text: str) -> str:
        rows = text.split("\n")
        out, at = [], 0
        row, line = -1, 1
        for token in scan(text):
            if token.line != row:
                row, line = token.line, self.book.current().locate(rows[token.line], new=True)
            out += [text[at : token.start], self._one(token, line)]
            at = token.end
        return "".join([*out, text[at:]])

    def _one(self, token: Token, line: int) -> str:
        md, book = self.md, self.book
        if token.kind == "predict":
            self.predictions += 1
            number = self.predictions
            page = book.current()
            block = book.attempt(line, lambda: predict(book, token.inside or "", number))
            # Its texts hold the syntax too.
            at = page.at
            replaced = self._replace(block)
            page.at = at
            return replaced
        if token.kind == "state":
            tag = book.attempt(line, lambda: open_tag(book, token.inside or ""))
            if tag.startswith("<a "):
                return f"](<lwl:{md.htmlStash.store(tag)}>)"
            return f"](#) {md.htmlStash.store(tag)}"
        if token.kind == "cite":
            return str(md.htmlStash.store(book.attempt(line, lambda: cite(book, token.inside or ""))))
        return self._brace(token, line)

    def _brace(self, token: Token, line: int) -> str:
        original = "{" + token.name + ("" if token.inside is None else ":" + token.inside) + "}"
        handler = BRACES.get(token.name)
        if handler is None or (token.inside is None) != (token.name in BARE):
            if token.maths or not _meant(token):
                return original
            handler = _unknown(token)
        if token.maths:
            if token.name != "value":
                return original
            return self.book.attempt(line, lambda: value(self.book, token.inside, latex=True))
        found = handler
        return str(self.md.htmlStash.store(self.book.attempt(line, lambda: found(self.book, token.inside))))


def _meant(token: Token) -> bool:
    """Whether an unknown `{name:…}` is likely a misspelling of ours, and not somebody else's syntax."""
    return token.name in BRACES or (
        token.inside is not None and "Did you mean" in nearest(token.name, BRACES)
    )


def _unknown(token: Token) -> Handler:
    def fail(book: Book, inside: str | None) -> str:
        if token.name in BRACES:
            form = f"{{{token.name}}}" if token.name in BARE else f"{{{token.name}: …}}"
            raise SyntaxProblem(f"{{{token.name}}} is written {form}", f"Write {form}.")
        raise SyntaxProblem(f"there is no {{{token.name}: …}}", nearest(token.name, BRACES))

    return fail


class _StateLinks(Treeprocessor):
    """Gives the links that stand for states their address and data."""

    def run(self, root: Element) -> None:
        for link in root.iter("a"):
            href = link.get("href", "")
            if not href.startswith("lwl:"):
                continue
            tag = self._stashed(href.removeprefix("lwl:"))
            for name, text in re.findall(r'([a-z-]+)="([^"]*)"', tag):
                link.set(name, text.replace("&amp;", "&"))

    def _stashed(self, placeholder: str) -> str:
        index = int(re.sub(r"\D", "", placeholder.split(":")[-1]))
        return str(self.md.htmlStash.rawHtmlBlocks[index])


class _Formulas(Postprocessor):
    def __init__(self, md: Markdown, book: Book) -> None:
        super().__init__(md)
        self.book = book

    def run(self, text: str) -> str:
        return set_formulas(self.book, text)
