"""What `charts.py` returns: panels of a microsim, drawn by Altair or taken from a frame's image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal, TypeAlias, get_args

import altair as alt

__all__ = ["AnyPanel", "Panel", "Picture", "TooltipImage"]

Renderer = Literal["svg", "canvas"]
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_SIZES = range(40, 2001)


@dataclass(frozen=True)
class TooltipImage:
    """A tile of a frame's image, shown while a mark is hovered.

    Args:
        image: the frame's image, an atlas of square tiles in rows.
        column: the column of the hovered mark's row that numbers the tile, from 0, row by row.
        tile: side of a tile in pixels of the atlas.

    Raises:
        ValueError: a name is not an identifier in lower case, or tile < 1.
    """

    image: str
    column: str
    tile: int

    def __post_init__(self) -> None:
        _identifier("tooltip_image.image", self.image)
        _identifier("tooltip_image.column", self.column)
        _whole("tooltip_image.tile", self.tile, range(1, 1025))


@dataclass(frozen=True)
class Panel:
    """One chart of a microsim.

    Args:
        name: its name on the wire (`<figure data-panel="…">`), an identifier in lower case.
        title: what the reader sees above it.
        chart: an Altair chart over named data, `alt.NamedData("table")`. A `chart=True` control
            is an `alt.param` of the control's name.
        width, height: the whole picture in design pixels, axes and padding included.
        renderer: "svg" for calm panels, "canvas" for what moves.
        span: columns that the panel takes in the two-column layout, 1 or 2.
        drag: which controls a pointer drag moves, for example {"x": "yaw", "y": "pitch"}.
        tooltip_image: a tile of a frame's image for the hovered mark.
        description: what the chart is, for a screen reader; the title when empty.

    Raises:
        ValueError: names the panel, what was wanted and what came.
    """

    name: str
    title: str
    chart: Any
    _: KW_ONLY
    width: int = 400
    height: int = 260
    renderer: Renderer = "svg"
    span: int = 1
    drag: Mapping[str, str] | None = None
    tooltip_image: TooltipImage | None = None
    description: str = ""

    def __post_init__(self) -> None:
        _head(self.name, self.title, self.span)
        at = f"panel {self.name}: "
        if not isinstance(self.chart, alt.TopLevelMixin):
            raise ValueError(f"{at}chart must be an Altair chart, got {type(self.chart).__name__}")
        if isinstance(self.chart, alt.HConcatChart | alt.VConcatChart | alt.ConcatChart | alt.FacetChart):
            raise ValueError(
                f"{at}chart must be a single or layered chart, got {type(self.chart).__name__}; "
                "only these fit a given size, so give each part a panel of its own"
            )
        _whole(at + "width", self.width, _SIZES)
        _whole(at + "height", self.height, _SIZES)
        if self.renderer not in get_args(Renderer):
            raise ValueError(f"{at}renderer must be svg or canvas, got {self.renderer!r}")
        for axis, control in (self.drag or {}).items():
            if axis not in ("x", "y"):
                raise ValueError(f'{at}drag must map "x" or "y" to a control, got {axis!r}')
            _identifier(f"{at}drag[{axis!r}]", control)
        if self.tooltip_image is not None and not isinstance(self.tooltip_image, TooltipImage):
            raise ValueError(f"{at}tooltip_image must be a TooltipImage, got {self.tooltip_image!r}")


@dataclass(frozen=True)
class Picture:
    """A panel that shows an image of the frame as it is.

    Args:
        name, title, span, description: as in `Panel`.
        image: the frame's image.

    Raises:
        ValueError: names the panel, what was wanted and what came.
    """

    name: str
    title: str
    image: str
    _: KW_ONLY
    span: int = 1
    description: str = ""

    def __post_init__(self) -> None:
        _head(self.name, self.title, self.span)
        _identifier(f"panel {self.name}: image", self.image)


AnyPanel: TypeAlias = Panel | Picture


def _head(name: str, title: str, span: int) -> None:
    _identifier("a panel's name", name)
    if not isinstance(title, str) or not title.strip():
        raise ValueError(f"panel {name}: title must be a text that the reader sees, got {title!r}")
    _whole(f"panel {name}: span", span, range(1, 3))


def _identifier(what: str, value: object) -> None:
    if not isinstance(value, str) or not _NAME.match(value):
        raise ValueError(f"{what} must match [a-z][a-z0-9_]*, got {value!r}")


def _whole(what: str, value: object, wanted: range) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value not in wanted:
        raise ValueError(f"{what} must be a whole number from {wanted[0]} to {wanted[-1]}, got {value!r}")
