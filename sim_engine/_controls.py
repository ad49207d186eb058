"""The controls of a microsim: what each accepts, which values cover it, and its part of the spec."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim_engine._values import check_ends, check_number, check_whole, short

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Control:
    """What every control has: a label, a line of help, and whether only the drawing depends on it.

    Args:
        label: what the reader sees; plain text.
        help: one line shown with the control; may be empty.
        chart: the control changes the drawing alone. The player sets the chart's parameter of
            the same name and asks Python for nothing.

    Examples:
        >>> isinstance(Slider(0, 1, label="Share"), Control)
        True
    """

    label: str = ""
    help: str = ""
    chart: bool = False

    kind = "control"

    def accept(self, name: str, value: Any) -> Any:
        """Return `value` as the Python value of this control, or raise `ValueError`."""
        raise NotImplementedError

    def values(self, count: int) -> list[Any]:
        """Return at most `count` values that cover the control, both ends among them."""
        raise NotImplementedError

    def spec(self) -> Json:
        """Return the part of the JSON spec that is this control's own."""
        raise NotImplementedError


@dataclass(frozen=True)
class Slider(Control):
    """A number between two ends.

    Args:
        min, max: the ends, finite, min < max; both belong to the range.
        step: distance between neighbouring values; None leaves it to the player. It must divide
            the range, so that both ends can be reached.
        log: equal steps of the slider multiply the value; needs min > 0.
        unit: printed after the number, for example "nats".
        digits: decimals shown.

    Raises:
        ValueError: the ends are not finite or not in order, min <= 0 with `log`, or the step does not divide
            the range.

    Examples:
        >>> tau = Slider(0.02, 1.0, log=True, label="Temperature τ")
        >>> tau.accept("tau", 0.5), [round(v, 3) for v in tau.values(3)]
        (0.5, [0.02, 0.141, 1.0])
    """

    min: float
    max: float
    step: float | None = None
    log: bool = False
    unit: str = ""
    digits: int = 2

    kind = "slider"

    def __post_init__(self) -> None:
        check_ends(self.min, self.max)
        if self.log and self.min <= 0:
            raise ValueError(f"a log slider needs min > 0, got {self.min}")
        if self.step is not None:
            if not 0 < self.step <= (self.max - self.min) * (1 + 1e-9):
                raise ValueError(f"step must lie in (0, max - min], got {self.step}")
            steps = (self.max - self.min) / self.step
            if abs(steps - round(steps)) > 1e-6 * steps:
                raise ValueError(
                    f"step must divide the range from {self.min} to {self.max}, or the slider cannot reach "
                    f"its end, got {self.step}"
                )

    def accept(self, name: str, value: Any) -> float:
        number = check_number(name, value)
        if not self.min <= number <= self.max:
            raise ValueError(f"{name} must lie in [{self.min}, {self.max}], got {short(value)}")
        return number

    def values(self, count: int) -> list[float]:
        space = np.geomspace if self.log else np.linspace
        inner = space(self.min, self.max, count)[1:-1]
        if self.step is not None:
            inner = np.round((inner - self.min) / self.step) * self.step + self.min
        # Twelve digits: 0.30000000000000004 is not a value anyone would link to, but it may be an end.
        rounded = [min(max(float(f"{v:.12g}"), self.min), self.max) for v in inner]
        return [float(v) for v in dict.fromkeys([self.min, *rounded, self.max])]

    def spec(self) -> Json:
        return {
            "min": self.min,
            "max": self.max,
            "step": self.step,
            "log": self.log,
            "integer": False,
            "unit": self.unit,
            "digits": self.digits,
        }


@dataclass(frozen=True)
class WholeSlider(Slider):
    """A `Slider` annotated on an `int`: whole values only."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, end in (("min", self.min), ("max", self.max), ("step", self.step or 1)):
            check_whole(f"{name} of a whole-number slider", end)

    def accept(self, name: str, value: Any) -> int:
        return check_whole(name, super().accept(name, value))

    def values(self, count: int) -> list[int]:  # type: ignore[override]  # narrower on purpose
        every = range(int(self.min), int(self.max) + 1, int(self.step or 1))
        if len(every) <= count:
            return list(every)
        return list(dict.fromkeys(round(v) for v in super().values(count)))

    def spec(self) -> Json:
        step = None if self.step is None else int(self.step)
        ends = {"min": int(self.min), "max": int(self.max), "step": step}
        return {**super().spec(), **ends, "integer": True, "digits": 0}


@dataclass(frozen=True)
class Timeline(Control):
    """The frame of a recording, a whole number from `min` to `max`, with play and step.

    Args:
        min, max: first and last frame; both belong to the range.
        unit: printed after the number.
        fps: recorded frames a second at speed 1.

    Raises:
        ValueError: the ends are not whole numbers in order, or fps is not finite and > 0.

    Examples:
        >>> Timeline(0, 3, label="Epoch").values(2)  # every frame, however many
        [0, 1, 2, 3]
    """

    min: int
    max: int
    unit: str = ""
    fps: float = 8.0

    kind = "timeline"

    def __post_init__(self) -> None:
        check_ends(self.min, self.max)
        check_whole("min of a timeline", self.min)
        check_whole("max of a timeline", self.max)
        if not 0 < self.fps < math.inf:
            raise ValueError(f"fps must be finite and > 0, got {self.fps}")

    def accept(self, name: str, value: Any) -> int:
        number = check_whole(name, check_number(name, value))
        if not self.min <= number <= self.max:
            raise ValueError(f"{name} must lie in [{self.min}, {self.max}], got {short(value)}")
        return number

    def values(self, count: int) -> list[int]:
        """Return every frame, however many: a recording has no values in between."""
        return list(range(int(self.min), int(self.max) + 1))

    def spec(self) -> Json:
        return {"min": int(self.min), "max": int(self.max), "unit": self.unit, "fps": self.fps}


@dataclass(frozen=True)
class Choice(Control):
    """One of several named values.

    Args:
        options: the values, or a mapping from value to label.

    Raises:
        ValueError: there are fewer than two options.

    Examples:
        >>> Choice({"nt_xent": "NT-Xent", "dcl": "DCL"}, label="Loss").accept("loss", "dcl")
        'dcl'
    """

    options: Sequence[str] | Mapping[str, str]

    kind = "choice"

    def __post_init__(self) -> None:
        if isinstance(self.options, str) or len(_labels(self.options)) < 2:
            raise ValueError(f"a choice needs two options or more, got {self.options!r}")

    def accept(self, name: str, value: Any) -> str:
        known = _labels(self.options)
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {short(value)}")
        return str(value)

    def values(self, count: int) -> list[str]:
        return list(_labels(self.options))

    def spec(self) -> Json:
        return {"options": [{"value": v, "label": s} for v, s in _labels(self.options).items()]}


@dataclass(frozen=True)
class Toggle(Control):
    """On or off.

    Examples:
        >>> Toggle(label="Normalise").values(2)
        [False, True]
    """

    kind = "toggle"

    def accept(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, got {short(value)}")
        return bool(value)

    def values(self, count: int) -> list[bool]:
        return [False, True]

    def spec(self) -> Json:
        return {}


@dataclass(frozen=True)
class Legend(Control):
    """A legend whose entries the reader switches on and off; the value is the tuple of those on.

    Args:
        options: the entries, or a mapping from value to label.
        colors: a token name per entry (`class-0`, …), or None.

    Raises:
        ValueError: there are no entries, or not one colour for each.

    Examples:
        >>> Legend(["cat", "dog", "car"], label="Class").accept("shown", ["car", "cat"])
        ('cat', 'car')
    """

    options: Sequence[str] | Mapping[str, str]
    colors: Sequence[str] | None = None

    kind = "legend"

    def __post_init__(self) -> None:
        known = _labels(self.options)
        if isinstance(self.options, str) or not known:
            raise ValueError(f"a legend needs entries, got {self.options!r}")
        if self.colors is not None and len(self.colors) != len(known):
            raise ValueError(f"colors must name one token per entry: {len(known)}, got {len(self.colors)}")

    def accept(self, name: str, value: Any) -> tuple[str, ...]:
        known = _labels(self.options)
        if not isinstance(value, str | list | tuple | set | frozenset):
            raise ValueError(f"{name} must be a tuple of {', '.join(known)}, got {short(value)}")
        chosen = [value] if isinstance(value, str) else list(value)
        for entry in chosen:
            if not isinstance(entry, str) or entry not in known:
                raise ValueError(f"{name} may hold {', '.join(known)}, got {short(entry)}")
        return tuple(entry for entry in known if entry in chosen)

    def values(self, count: int) -> list[tuple[str, ...]]:
        known = tuple(_labels(self.options))
        return [known, known[:1], ()]

    def spec(self) -> Json:
        labels = _labels(self.options)
        colors: Sequence[str | None] = self.colors if self.colors is not None else [None] * len(labels)
        rows = zip(labels.items(), colors, strict=True)
        return {"options": [{"value": v, "label": s, "color": c} for (v, s), c in rows]}


def _labels(options: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    pairs = options.items() if isinstance(options, Mapping) else [(o, o) for o in options]
    return {str(value): str(label) for value, label in pairs}
