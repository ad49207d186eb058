"""The microsim contract: one annotated function is one interactive figure.

```python
@microsim
def hard_negatives(
    tau: Annotated[float, Slider(0.02, 1.0, log=True, label="Temperature τ")] = 0.5,
) -> Frame: ...
```

A function that returns a `Frame` is an explorer, a pure function of its controls. One that
yields `Frame`s is a process; play, pause, step and scrub come with it. A `Timeline` control
gives the same transport over recorded frames. The same file runs under CPython at build and in
the reader's browser, so it may import NumPy, the standard library and `sim_engine` alone.
"""

from __future__ import annotations

import hashlib
import inspect
import math
import numbers
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Choice",
    "Control",
    "Frame",
    "Legend",
    "Microsim",
    "Readout",
    "Slider",
    "Timeline",
    "Toggle",
    "microsim",
]

Json = dict[str, Any]
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
# A control of one of these names could not be told from the embed's own parameters.
RESERVED = frozenset({"frame", "theme", "hide", "text", "run", "speed", "controls", "readouts", "actions"})


@dataclass(frozen=True, kw_only=True)
class Control:
    """What every control has: a label, a line of help, and whether only the drawing depends on it.

    Args:
        label: what the reader sees; plain text.
        help: one line shown with the control; may be empty.
        chart: the control changes the drawing alone. The player sets the chart's parameter of
            the same name and asks Python for nothing.
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
        step: distance between neighbouring values; None leaves it to the player.
        log: equal steps of the slider multiply the value; needs min > 0.
        unit: printed after the number, for example "nats".
        digits: decimals shown.
    """

    min: float
    max: float
    step: float | None = None
    log: bool = False
    unit: str = ""
    digits: int = 2

    kind = "slider"

    def __post_init__(self) -> None:
        _ends(self.min, self.max)
        if self.log and self.min <= 0:
            raise ValueError(f"a log slider needs min > 0, got {self.min}")
        if self.step is not None and not 0 < self.step <= self.max - self.min:
            raise ValueError(f"step must lie in (0, max - min], got {self.step}")

    def accept(self, name: str, value: Any) -> float:
        number = _number(name, value)
        if not self.min <= number <= self.max:
            raise ValueError(f"{name} must lie in [{self.min}, {self.max}], got {value!r}")
        return number

    def values(self, count: int) -> list[float]:
        if self.log:
            inner = np.geomspace(self.min, self.max, count)[1:-1]
        else:
            inner = np.linspace(self.min, self.max, count)[1:-1]
        if self.step is not None:
            inner = np.round((inner - self.min) / self.step) * self.step + self.min
        # Twelve digits: 0.30000000000000004 is not a value anyone would link to.
        return [float(f"{v:.12g}") for v in dict.fromkeys([self.min, *inner, self.max])]

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
class _WholeSlider(Slider):
    """A `Slider` annotated on an `int`: whole values only."""

    def accept(self, name: str, value: Any) -> int:
        return _whole(name, super().accept(name, value))

    def values(self, count: int) -> list[int]:  # type: ignore[override]  # narrower on purpose
        step = int(self.step or 1)
        whole = range(int(self.min), int(self.max) + 1, step)
        if len(whole) <= count:
            return list(whole)
        near = [round((v - self.min) / step) * step + int(self.min) for v in super().values(count)]
        return list(dict.fromkeys(int(v) for v in near))

    def spec(self) -> Json:
        return {**super().spec(), "min": int(self.min), "max": int(self.max), "integer": True, "digits": 0}


@dataclass(frozen=True)
class Timeline(Control):
    """The frame of a recording, a whole number from `min` to `max`, with play and step.

    Args:
        min, max: first and last frame; both belong to the range.
        unit: printed after the number.
        fps: recorded frames a second at speed 1.
    """

    min: int
    max: int
    unit: str = ""
    fps: float = 8.0

    kind = "timeline"

    def __post_init__(self) -> None:
        _ends(self.min, self.max)
        if not self.fps > 0:
            raise ValueError(f"fps must be > 0, got {self.fps}")

    def accept(self, name: str, value: Any) -> int:
        number = _whole(name, _number(name, value))
        if not self.min <= number <= self.max:
            raise ValueError(f"{name} must lie in [{self.min}, {self.max}], got {value!r}")
        return number

    def values(self, count: int) -> list[int]:
        return list(range(self.min, self.max + 1))

    def spec(self) -> Json:
        return {"min": self.min, "max": self.max, "unit": self.unit, "fps": self.fps}


@dataclass(frozen=True)
class Choice(Control):
    """One of several named values.

    Args:
        options: the values, or a mapping from value to label.
    """

    options: Sequence[str] | Mapping[str, str]

    kind = "choice"

    def __post_init__(self) -> None:
        if isinstance(self.options, str) or len(_labels(self.options)) < 2:
            raise ValueError(f"a choice needs two options or more, got {self.options!r}")

    def accept(self, name: str, value: Any) -> str:
        known = _labels(self.options)
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        return str(value)

    def values(self, count: int) -> list[str]:
        return list(_labels(self.options))

    def spec(self) -> Json:
        return {"options": [{"value": v, "label": s} for v, s in _labels(self.options).items()]}


@dataclass(frozen=True)
class Toggle(Control):
    """On or off."""

    kind = "toggle"

    def accept(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, got {value!r}")
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
        chosen = [value] if isinstance(value, str) else list(value)
        for entry in chosen:
            if entry not in known:
                raise ValueError(f"{name} may hold {', '.join(known)}, got {entry!r}")
        return tuple(entry for entry in known if entry in chosen)

    def values(self, count: int) -> list[tuple[str, ...]]:
        known = tuple(_labels(self.options))
        return [known, known[:1], ()]

    def spec(self) -> Json:
        labels = _labels(self.options)
        colors: Sequence[str | None] = self.colors if self.colors is not None else [None] * len(labels)
        rows = zip(labels.items(), colors, strict=True)
        return {"options": [{"value": v, "label": s, "color": c} for (v, s), c in rows]}


@dataclass(frozen=True)
class Readout:
    """A number that the sim prints large, with its unit.

    Args:
        value: the number; NaN and infinities are shown as an em dash.
        label: what it is; None takes the readout's name.
        unit: printed after it, for example "nats"; "%" multiplies nothing.
        digits: decimals shown.
    """

    value: float
    label: str | None = None
    unit: str = ""
    digits: int = 3


@dataclass(frozen=True)
class Frame:
    """What a microsim shows at one moment.

    Args:
        tables: named tables; each maps a column to a 1-D array (numbers, strings or booleans),
            all columns of one table of the same length. Charts refer to tables by name.
        readouts: named numbers, plain or `Readout`.
        alt: one sentence that says what the picture now shows, for a screen reader and for print.
        images: named pictures, `uint8` (H, W, 3).

    Raises:
        ValueError: `alt` is empty, columns differ in length, a column is not 1-D or holds
            something else than numbers, strings or booleans, an image has another shape or dtype,
            a name is not a Python identifier in lower case.
    """

    tables: Mapping[str, Mapping[str, ArrayLike]] = field(default_factory=dict)
    readouts: Mapping[str, float | Readout] = field(default_factory=dict)
    alt: str = ""
    images: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.alt, str) or not self.alt.strip():
            raise ValueError("alt must be a sentence that says what the picture shows, got an empty one")
        for group in (self.tables, self.readouts, self.images):
            for name in group:
                _name("a table, readout or image", name)
        tables = {n: _table(n, t) for n, t in self.tables.items()}
        readouts = {n: _readout(n, r) for n, r in self.readouts.items()}
        images = {n: _image(n, i) for n, i in self.images.items()}
        object.__setattr__(self, "tables", tables)
        object.__setattr__(self, "readouts", readouts)
        object.__setattr__(self, "images", images)

    def wire(self, put: Callable[[str, NDArray[Any]], Any]) -> Json:
        """Return the frame as JSON-ready data; `put(kind, array)` places every numeric array.

        Args:
            put: called with ("column", float64 array) and ("image", uint8 array); what it
                returns stands in the JSON in the array's place (None leaves the pixels out).
        """
        tables: Json = {
            name: {c: (put("column", a) if a.dtype == np.float64 else a.tolist()) for c, a in table.items()}  # type: ignore[arg-type, union-attr]  # arrays since __post_init__
            for name, table in self.tables.items()
        }
        readouts: Json = {}
        for name, r in self.readouts.items():
            assert isinstance(r, Readout)  # since __post_init__; tells the type checker
            value = r.value if math.isfinite(r.value) else None
            readouts[name] = {"value": value, "label": r.label, "unit": r.unit, "digits": r.digits}
        images: Json = {}
        for name, picture in self.images.items():
            sha = hashlib.sha256(repr(picture.shape).encode() + picture.tobytes()).hexdigest()[:16]
            entry: Json = {"width": picture.shape[1], "height": picture.shape[0], "sha": sha}
            placed = put("image", picture)
            if placed is not None:
                entry["$"] = placed
            images[name] = entry
        return {"tables": tables, "readouts": readouts, "images": images, "alt": self.alt.strip()}

    def to_json(self, significant: int | None = None) -> Json:
        """Return the frame as plain JSON data, columns as lists; NaN and infinities become None.

        Args:
            significant: round table columns to so many significant digits; None keeps them.
        """

        def put(kind: str, array: NDArray[Any]) -> Any:
            if kind == "image":
                return None
            return [_json_number(v, significant) for v in array.tolist()]

        return self.wire(put)


Kind = Literal["explorer", "timeline", "process"]


class Microsim:
    """A microsim: its function, its controls and their defaults. Made by `@microsim`.

    Attributes:
        name: the function's name; the folder is the name with `-` for `_`.
        doc: first line of the docstring (the function's, else the module's).
        kind: "explorer", "timeline" or "process".
        controls: name to `Control`, in the order of the signature.
        defaults: name to default value.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.name = function.__name__
        module_doc = function.__globals__.get("__doc__")
        self.doc = (inspect.getdoc(function) or module_doc or "").strip().split("\n")[0]
        self.controls, self.defaults = _read_signature(function)
        self.kind: Kind = "explorer"
        timelines = [n for n, c in self.controls.items() if isinstance(c, Timeline)]
        if inspect.isgeneratorfunction(function):
            self.kind = "process"
        elif timelines:
            self.kind = "timeline"
        if len(timelines) > 1 or (timelines and self.kind == "process"):
            raise ValueError(f"{self.name}: a sim has one Timeline at most, and a process has none")
        self.__doc__ = function.__doc__
        self.__name__ = self.name
        self.__wrapped__ = function

    def __repr__(self) -> str:
        return f"<microsim {self.name}({', '.join(self.controls)})>"

    def accept(self, controls: Mapping[str, Any]) -> Json:
        """Return all controls, checked, with defaults filled in.

        Raises:
            ValueError: an unknown control, or a value the control does not take.
        """
        for name in controls:
            if name not in self.controls:
                known = ", ".join(self.controls) or "none"
                raise ValueError(f"{self.name} has no control {name!r}; it has {known}")
        return {n: c.accept(n, controls.get(n, self.defaults[n])) for n, c in self.controls.items()}

    def __call__(self, **controls: Any) -> Any:
        """Return the `Frame` (or, for a process, the iterator of `Frame`s) of these controls."""
        result = self.function(**self.accept(controls))
        if self.kind == "process":
            return self._checked(result)
        return self._frame(result)

    def _checked(self, frames: Iterator[Any]) -> Iterator[Frame]:
        for frame in frames:
            yield self._frame(frame)

    def _frame(self, frame: Any) -> Frame:
        if not isinstance(frame, Frame):
            raise TypeError(f"{self.name} must return or yield a Frame, got {type(frame).__name__}")
        return frame

    def spec(self) -> Json:
        """Return the JSON-ready spec of name, kind and controls."""
        controls = []
        for name, control in self.controls.items():
            default = self.defaults[name]
            controls.append(
                {
                    "name": name,
                    "type": control.kind,
                    "label": control.label,
                    "help": control.help,
                    "chart": control.chart,
                    "default": list(default) if isinstance(default, tuple) else default,
                    **control.spec(),
                }
            )
        return {"entry": self.name, "kind": self.kind, "doc": self.doc, "controls": controls}


def microsim(function: Callable[..., Any]) -> Microsim:
    """Turn an annotated function into a `Microsim`.

    Raises:
        ValueError: a parameter has no control, no default, or a default its control refuses.
    """
    return Microsim(function)


def _read_signature(function: Callable[..., Any]) -> tuple[dict[str, Control], Json]:
    hints = get_type_hints(function, include_extras=True)
    controls: dict[str, Control] = {}
    defaults: Json = {}
    for name, parameter in inspect.signature(function).parameters.items():
        _name("a control", name)
        if name in RESERVED:
            raise ValueError(f"{name} is a parameter of every embed; give the control another name")
        annotation = hints.get(name)
        found = [a for a in get_args(annotation)[1:] if isinstance(a, Control)]
        if get_origin(annotation) is not Annotated or len(found) != 1:
            raise ValueError(
                f"{name} needs a type of the form Annotated[float, Slider(0, 1)], got {annotation!r}"
            )
        if parameter.default is inspect.Parameter.empty:
            raise ValueError(f"{name} needs a default: it is what the built page shows")
        control = found[0]
        if isinstance(control, Slider) and get_args(annotation)[0] is int:
            control = _whole_slider(name, control)
        if not control.label:
            raise ValueError(f"{name} needs a label: it is what the reader sees")
        controls[name] = control
        defaults[name] = control.accept(name, parameter.default)
    return controls, defaults


def _whole_slider(name: str, s: Slider) -> _WholeSlider:
    for end in (s.min, s.max, s.step or 1):
        _whole(name, float(end))
    return _WholeSlider(
        s.min, s.max, s.step, s.log, s.unit, s.digits, label=s.label, help=s.help, chart=s.chart
    )


def _ends(low: float, high: float) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"a range needs finite ends with min < max, got {low} and {high}")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def _whole(name: str, value: float) -> int:
    if value != int(value):
        raise ValueError(f"{name} must be a whole number, got {value}")
    return int(value)


def _name(what: str, name: Any) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise ValueError(f"the name of {what} must match [a-z][a-z0-9_]*, got {name!r}")


def _labels(options: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    return dict(options) if isinstance(options, Mapping) else {str(o): str(o) for o in options}


def _table(name: str, table: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {}
    for column, values in table.items():
        _name(f"a column of {name}", column)
        array = np.asarray(values)
        if array.ndim != 1:
            raise ValueError(f"{name}.{column} must be 1-D, got shape {array.shape}")
        if array.dtype.kind in "fiu":
            array = array.astype(np.float64)
        elif array.dtype.kind not in "Ub":
            raise ValueError(
                f"{name}.{column} must hold numbers, strings or booleans, got dtype {array.dtype}"
            )
        columns[column] = array
    lengths = {c: len(a) for c, a in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"the columns of {name} must have one length, got {lengths}")
    return columns


def _readout(name: str, value: float | Readout) -> Readout:
    readout = value if isinstance(value, Readout) else Readout(value)
    if isinstance(readout.value, bool) or not isinstance(readout.value, numbers.Real):
        raise ValueError(f"readout {name} must be a number, got {readout.value!r}")
    label = readout.label if readout.label is not None else name.replace("_", " ")
    return Readout(float(readout.value), label, readout.unit, readout.digits)


def _image(name: str, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array = np.asarray(picture)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ValueError(f"image {name} must be uint8 (H, W, 3), got {array.dtype} {array.shape}")
    return np.ascontiguousarray(array)


def _json_number(value: float, significant: int | None) -> float | int | None:
    if not math.isfinite(value):
        return None
    if significant is not None:
        value = float(f"{value:.{significant}g}")
    return int(value) if value == int(value) and abs(value) < 2**53 else value
