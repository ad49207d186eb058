"""Checks a built site: `python -m build_scripts.linkcheck site/`.

Every internal address must lead to a file, every fragment to an element, nothing may be fetched
from another host, and every address must be relative, so that the site works below any path.
Plain links to other sites are allowed; they are not followed.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["Fault", "check_site", "main"]

# (element, attribute) whose address the browser fetches by itself.
FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "src"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("embed", "src"),
    ("object", "data"),
    ("track", "src"),
    ("input", "src"),
    ("image", "href"),
    ("use", "href"),
}
LINK_FETCHED = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest", "apple-touch-icon"}
_CSS_URL = re.compile(r"""url\(\s*["']?(?P<url>[^"')]+)["']?\s*\)|@import\s+["'](?P<sheet>[^"']+)["']""")


@dataclass(frozen=True, order=True)
class Fault:
    """One bad address: where it stands, what it is, and what is wrong."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass
class _Page(HTMLParser):
    """Collects what a page links, fetches and names."""

    links: list[tuple[int, str, bool]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    style: list[tuple[int, str]] = field(default_factory=list)
    base: bool = False
    canonical: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, given = self.getpos()[0], {name: value or "" for name, value in attrs}
        self.names.update(given[name] for name in ("id", "name") if given.get(name))
        self._in_style = tag == "style"
        self.base = self.base or tag == "base"
        for name, value in given.items():
            key = name.removeprefix("xlink:")
            if key == "srcset":
                self.links += [(line, part.split()[0], True) for part in value.split(",") if part.split()]
            elif key == "style":
                self.style.append((line, value))
            elif tag == "link" and key == "href" and given.get("rel") == "canonical":
                self.canonical = value
            elif tag == "link" and key == "href":
                self.links.append((line, value, bool(LINK_FETCHED & set(given.get("rel", "").split()))))
            elif (tag, key) in FETCHED:
                self.links.append((line, value, True))
            elif key in ("href", "action", "formaction"):
                self.links.append((line, value, False))

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.style.append((self.getpos()[0], data))


def check_site(site: Path) -> list[Fault]:
    """Return every fault of the site in the folder `site`.

    Raises:
        ValueError: there is no site.
    """
    if not (site / "index.html").is_file():
        raise ValueError(f"{site} holds no index.html; build it first: make site")
    pages = {p: _read(p) for p in sorted(site.rglob("*.html"))}
    # Where the site will stand on its server; known when it was built with its address.
    home = urlsplit(pages[site / "index.html"].canonical).path or "/"
    faults: set[Fault] = set()
    for path, page in pages.items():
        file = path.relative_to(site).as_posix()
        # A server shows 404.html at any address, so its own links start at the site's root.
        rooted = home if path == site / "404.html" else None
        if page.base:
            faults.add(Fault(file, 1, "has <base>, which breaks below another path"))
        for line, address, fetched in page.links:
            message = _address(site, path, pages, address, fetched=fetched, rooted=rooted)
            if message:
                faults.add(Fault(file, line, message))
        for line, css in page.style:
            faults |= {Fault(file, line, m) for m in _css(site, path, css)}
    for path in sorted(site.rglob("*.css")):
        file = path.relative_to(site).as_posix()
        faults |= {Fault(file, 1, m) for m in _css(site, path, path.read_text(encoding="utf-8"))}
    return sorted(faults)


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _css(site: Path, path: Path, css: str) -> Iterator[str]:
    for found in _CSS_URL.finditer(css):
        message = _address(
            site, path, {}, (found["url"] or found["sheet"]).strip(), fetched=True, rooted=None
        )
        if message:
            yield message


def _address(
    site: Path, path: Path, pages: dict[Path, _Page], address: str, *, fetched: bool, rooted: str | None
) -> str | None:
    """Return what is wrong with an address, or None."""
    parts = urlsplit(address.strip())
    if parts.scheme in ("data", "blob", "mailto", "javascript", "about") or (
        address.startswith("#") and "%" in address
    ):
        return None
    if parts.scheme or parts.netloc:
        return f"fetches {address} from another host" if fetched else None
    if parts.path.startswith("/") and (rooted is None or not parts.path.startswith(rooted)):
        return f"{address} starts at the server's root; it breaks below another path"
    target = path
    if parts.path:
        inner = unquote(parts.path)
        if rooted is not None and inner.startswith("/"):
            joined = posixpath.normpath(inner.removeprefix(rooted) or ".")
        else:
            joined = posixpath.normpath(posixpath.join(path.parent.relative_to(site).as_posix(), inner))
        if joined.startswith(".."):
            return f"{address} leads out of the site"
        target = site / joined
        if inner.endswith("/") or target.is_dir():
            target = target / "index.html"
        if not target.is_file():
            return f"{address} leads nowhere: there is no {target.relative_to(site).as_posix()}"
    fragment = unquote(parts.fragment)
    if fragment and target in pages and fragment not in pages[target].names and fragment != "top":
        return f"{address} names #{fragment}, which {target.relative_to(site).as_posix()} does not have"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Check the site named on the command line; return 1 when it has a fault."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1:
        print("usage: python -m build_scripts.linkcheck SITE", file=sys.stderr)
        return 2
    site = Path(given[0])
    try:
        faults = check_site(site)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for fault in faults:
        print(fault)
    pages = len(list(site.rglob("*.html")))
    print(f"{pages} pages, {len(faults)} fault(s)")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
