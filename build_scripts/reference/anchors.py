"""Tells autorefs where the names of the engine stand, also on a page that comes from the cache."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mkdocs.structure.pages import Page

__all__ = ["register"]

_ADDRESS = re.compile(r' id="(sim_engine(?:\.\w+)+)"')


def register(plugins: Mapping[str, Any], page: Page, html: str) -> None:
    """Register every heading of a name, so that `[text][sim_engine.losses.nt_xent]` finds it.

    mkdocstrings does so while it renders; under `mkdocs serve` a page may be kept from before.
    """
    autorefs = plugins.get("autorefs")
    if autorefs is None:
        return
    for address in _ADDRESS.findall(html):
        autorefs.register_anchor(page, address)
