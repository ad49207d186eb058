"""One style sheet for the book: every one more is another request before the first paint."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

__all__ = ["SHEETS", "sheet"]

# In this order; of Material's the name changes with the version. The sims link some of them too.
SHEETS = (
    r"assets/stylesheets/main\.\w+\.min\.css",
    r"assets/stylesheets/palette\.\w+\.min\.css",
    r"assets/tokens\.css",
    r"assets/fonts\.css",
    r"assets/katex/katex\.min\.css",
    r"assets/site\.css",
)
_URL = re.compile(r"""url\((?P<quote>["']?)(?!data:|#|/|https?:)(?P<path>[^"')]+)(?P=quote)\)""")
_MAP = re.compile(r"/\*# sourceMappingURL=.*?\*/")


def sheet(files: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return the address and the text of the one style sheet.

    Args:
        files: address in the site and text of each of `SHEETS`, in their order.

    Returns:
        `assets/book.<hash>.css`, so that a changed one is never taken from a cache, and its content:
        addresses inside lead from `assets/`.
    """
    parts = []
    for address, text in files:
        folder = PurePosixPath(address).parent.relative_to("assets").as_posix()
        text = _MAP.sub("", text).strip()
        if folder != ".":
            text = _URL.sub(rf"url(\g<quote>{folder}/\g<path>\g<quote>)", text)
        parts.append(text)
    whole = "\n".join(parts) + "\n"
    return f"assets/book.{hashlib.sha256(whole.encode()).hexdigest()[:8]}.css", whole
