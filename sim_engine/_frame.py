"""What a microsim shows at one moment, and how it goes over the wire."""

from __future__ import annotations

import hashlib
import math
import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim_engine._controls import Json
from sim_engine._values import check_name


@dataclass(frozen=True)
class Readout:
    """A number that the sim prints large, with its unit.

    Args:
        value: the number; NaN and infinities are shown as an em dash.
        label: what it is; None takes the readout's name.
        unit: printed after it, for example "nats"; "%" multiplies nothing.
        digits: decimals shown.

    Examples:
        >>> frame = Frame(readouts={"loss": Readout(1.25, unit="nats")}, alt="The loss is 1.25 nats.")
        >>> frame.to_json()["readouts"]["loss"]
        {'value': 1.25, 'label': 'loss', 'unit': 'nats', 'digits': 3}
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

    Examples:
        >>> points = {"x": [0, 1], "y": [1.0, np.nan]}
        >>> Frame(tables={"points": points}, alt="One point of two.").to_json()["tables"]
        {'points': {'x': [0, 1], 'y': [1, None]}}
    """

    tables: Mapping[str, Mapping[str, ArrayLike]] = field(default_factory=dict)
    readouts: Mapping[str, float | Readout] = field(default_factory=dict)
    alt: str = ""
    images: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.alt, str) or not self.alt.strip():
            raise ValueError("alt must be a sentence that says what the picture shows, got an empty one")
        for field_name in ("tables", "readouts", "images"):
            group = getattr(self, field_name)
            if not isinstance(group, Mapping):
                raise ValueError(f"{field_name} must map names to values, got {type(group).__name__}")
            for name in group:
                check_name("a table, readout or image", name)
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
        # The casts say what __post_init__ has made of the fields.
        arrays = cast(Mapping[str, Mapping[str, NDArray[Any]]], self.tables)
        tables: Json = {
            name: {c: put("column", a) if a.dtype == np.float64 else a.tolist() for c, a in table.items()}
            for name, table in arrays.items()
        }
        readouts: Json = {}
        for name, r in cast(Mapping[str, Readout], self.readouts).items():
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


def _table(name: str, table: Mapping[str, ArrayLike]) -> dict[str, NDArray[Any]]:
    if not isinstance(table, Mapping):
        raise ValueError(f"table {name} must map columns to arrays, got {type(table).__name__}")
    columns: dict[str, NDArray[Any]] = {}
    for column, values in table.items():
        check_name(f"a column of {name}", column)
        try:
            array = np.asarray(values)
        except ValueError:
            raise ValueError(f"{name}.{column} must be 1-D, got rows of different lengths") from None
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
