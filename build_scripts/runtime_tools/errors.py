"""The one error of the runtime build."""

from __future__ import annotations

__all__ = ["RuntimeBuildError"]


class RuntimeBuildError(Exception):
    """The browser's Python could not be built; the message names the thing, wanted, got, remedy."""
