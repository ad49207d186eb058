"""Holds a panel against the frame and the controls: every name that a chart uses must exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from build_scripts.charting import Panel, Picture
from build_scripts.render.errors import RenderError, line_of
from build_scripts.render.source import SimSource

__all__ = ["check_panel", "check_signals"]

Json = dict[str, Any]
_DATUM = re.compile(r"\bdatum(?:\.(\w+)|\[['\"](\w+)['\"]\])")
# Their output columns cannot be told from the spec.
_OPEN = {"pivot", "density", "regression", "loess", "quantile", "extent"}


def check_panel(source: SimSource, panel: Panel | Picture, chart: Json | None) -> list[str]:
    """Return the frame's tables that the panel uses, in order of first use.

    Args:
        chart: the Vega-Lite spec of a `Panel`; None for a `Picture`.

    Raises:
        RenderError: a table, column, image or control that there is not, with what there is.
    """
    if isinstance(panel, Picture):
        _known(source, panel, "image", panel.image, source.frame.images)
        return []
    for control in (panel.drag or {}).values():
        _known(source, panel, "control", control, source.sim.controls)
    tables: list[str] = []
    for data, columns in _units(chart or {}, source, panel):
        if data is not None and data not in tables:
            tables.append(data)
        for column in columns:
            there = source.frame.tables[data] if data is not None else {}
            if data is not None:
                _known(source, panel, f"column of table {data}", column, there)
    hovered = panel.tooltip_image
    if hovered is not None:
        _known(source, panel, "image", hovered.image, source.frame.images)
        _known(
            source, panel, "column", hovered.column, {c: 1 for t in tables for c in source.frame.tables[t]}
        )
    return tables


def check_signals(source: SimSource, used: Mapping[str, list[str]]) -> None:
    """Check that parameters of charts and `chart=True` controls answer each other.

    Args:
        used: panel name to the names of its parameters that a control is to set.

    Raises:
        RenderError: a control that no chart reads, or a parameter that no control sets.
    """
    wanted = {n for n, c in source.sim.controls.items() if c.chart}
    for panel, names in used.items():
        for name in names:
            if name in wanted:
                continue
            fix = "give that control chart=True" if name in source.sim.controls else "no control sets it"
            raise RenderError(
                source.charts_file,
                f"panel {panel}: the parameter {name!r} is not a control with chart=True ({fix}); "
                f"there are {', '.join(sorted(wanted)) or 'none'}",
                line_of(source.charts_file, name),
            )
    for name in sorted(wanted - {n for names in used.values() for n in names}):
        raise RenderError(
            source.charts_file,
            f"the control {name!r} has chart=True, but no panel has alt.param(name={name!r}); "
            "add it to the chart that reads it, or take chart=True away",
        )


def _known(source: SimSource, panel: Panel | Picture, what: str, name: str, there: Mapping[str, Any]) -> None:
    if name not in there:
        raise RenderError(
            source.charts_file,
            f"panel {panel.name}: there is no {what} {name!r}; there are {', '.join(there) or 'none'}",
            line_of(source.charts_file, name),
        )


def _units(
    spec: Json, source: SimSource, panel: Panel, data: Any = None, made: frozenset[str] = frozenset()
) -> Iterator[tuple[str | None, set[str]]]:
    """Yield (table, columns read from it) for each unit of a spec; table None for data of the chart's own."""
    data = spec.get("data", data)
    transforms = spec.get("transform", [])
    made = made | {name for name in _outputs(transforms)}
    opaque = any(_OPEN & t.keys() for t in transforms)
    for transform in transforms:
        other = transform.get("from", {}).get("data") if isinstance(transform.get("from"), dict) else None
        if other is not None:
            made = made | set(transform["from"].get("fields", ()))
            yield _table(other, source, panel), set()
    if "layer" in spec:
        own = {k: v for k, v in spec.items() if k not in ("layer", "params", "datasets", "config")}
        for unit in spec["layer"]:
            merged = {**unit, "encoding": {**own.get("encoding", {}), **unit.get("encoding", {})}}
            yield from _units(merged, source, panel, data, made)
        return
    if data is None:
        raise RenderError(
            source.charts_file,
            f'panel {panel.name}: a mark has no data; use alt.Chart(alt.NamedData("table"))',
        )
    table = _table(data, source, panel)
    read = set(_fields({k: spec[k] for k in ("mark", "encoding", "transform") if k in spec}))
    yield table, set() if opaque else read - made


def _table(data: Any, source: SimSource, panel: Panel) -> str | None:
    if isinstance(data, dict) and set(data) == {"name"}:
        name = str(data["name"])
        if not name.startswith("data-"):  # Altair's name for rows that stand in the chart itself
            _known(source, panel, "table", name, source.frame.tables)
            return name
    if isinstance(data, dict) and "url" in data:
        raise RenderError(
            source.charts_file,
            f"panel {panel.name}: data by address ({data['url']}) is not allowed; put it in a table",
        )
    return None


def _outputs(node: Any) -> Iterator[str]:
    """Names that transforms make: every `as`."""
    if isinstance(node, dict):
        names = node.get("as", [])
        yield from [names] if isinstance(names, str) else names
        if "fold" in node and "as" not in node:
            yield from ("key", "value")
        for value in node.values():
            yield from _outputs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _outputs(value)


def _fields(node: Any, key: str = "") -> Iterator[str]:
    """Names of columns that a part of a unit reads: `field`, `groupby`, and `datum.x` in expressions."""
    if isinstance(node, dict):
        for k, value in node.items():
            yield from _fields(value, k)
    elif isinstance(node, list):
        for value in node:
            yield from _fields(value, key)
    elif isinstance(node, str):
        if key in ("field", "groupby"):
            yield node
        elif key in ("expr", "calculate", "filter", "test"):
            yield from (a or b for a, b in _DATUM.findall(node))
