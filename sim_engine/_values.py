"""Single values from outside (a signature, a URL), checked."""

from __future__ import annotations

import math
import numbers
import re
from typing import Any

_NAME = re.compile(r"[a-z][a-z0-9_]*")


def check_ends(low: float, high: float) -> None:
    """Raise `ValueError` unless both are finite and low < high."""
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"a range needs finite ends with min < max, got {low} and {high}")


def check_number(name: str, value: Any) -> float:
    """Return `value` as a finite float, or raise `ValueError`."""
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # a whole number of more than 308 digits
            number = math.inf
        if math.isfinite(number):
            return number
    raise ValueError(f"{name} must be a finite number, got {short(value)}")


def check_whole(name: str, value: float) -> int:
    """Return `value` as an int, or raise `ValueError`."""
    if value != int(value):
        raise ValueError(f"{name} must be a whole number, got {value}")
    return int(value)


def check_name(what: str, name: Any) -> None:
    """Raise `ValueError` unless `name` is a lower-case Python identifier without a leading _."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"the name of {what} must match [a-z][a-z0-9_]*, got {name!r}")


def short(value: Any) -> str:
    """Return `repr(value)`, cut: what came may be a page long."""
    try:
        text = repr(value)
    except ValueError:  # Python prints no whole number of more than 4300 digits
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
