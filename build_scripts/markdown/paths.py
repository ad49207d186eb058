"""Addresses inside the site, relative to the page, so that any base path works."""

from __future__ import annotations

import posixpath

__all__ = ["relative"]


def relative(target: str, page_url: str) -> str:
    """Return `target` (from the site's root) as seen from the page at `page_url`.

    >>> relative("sims/a/main.html", "chapters/03/")
    '../../sims/a/main.html'
    """
    folder = page_url if page_url.endswith("/") else posixpath.dirname(page_url)
    path = posixpath.relpath("/" + target, "/" + folder)
    return path + "/" if target.endswith("/") and path != "." else path if path != "." else "./"
