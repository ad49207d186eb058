"""Altair to Vega: what the page's player draws, and what the build paints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import altair as alt

from build_scripts.charting import Panel
from build_scripts.look import use_in_altair
from build_scripts.render.check import check_panel, check_signals
from build_scripts.render.drawable import check_drawable
from build_scripts.render.errors import RenderError, line_of
from build_scripts.render.painter import vegalite_to_vega
from build_scripts.render.source import SimSource

__all__ = ["CompiledPanel", "compile_panels"]

Json = dict[str, Any]


@dataclass(frozen=True)
class CompiledPanel:
    """A chart panel, ready to paint and to draw.

    Attributes:
        vega: Vega spec whose tables are named and empty.
        tables: the frame's tables that it reads.
        signals: the `chart=True` controls that it follows.
    """

    panel: Panel
    vega: Json
    tables: list[str]
    signals: list[str]


def compile_panels(source: SimSource) -> list[CompiledPanel]:
    """Compile and check every chart of the sim; pictures are checked alone.

    Raises:
        RenderError: see `check`; or Vega-Lite refuses a chart.
    """
    compiled: list[CompiledPanel] = []
    parameters: dict[str, list[str]] = {}
    for panel in source.panels:
        if not isinstance(panel, Panel):
            check_panel(source, panel, None)
            continue
        chart = _vega_lite(source, panel)
        tables = check_panel(source, panel, chart)
        names = _plain_params(source, panel, chart)
        parameters[panel.name] = names
        compiled.append(_compile(source, panel, chart, tables, names))
    check_signals(source, parameters)
    return compiled


def _vega_lite(source: SimSource, panel: Panel) -> Json:
    try:
        with alt.theme.enable(use_in_altair()):
            chart: Json = panel.chart.to_dict()
    except Exception as error:
        raise RenderError(
            source.charts_file, f"panel {panel.name}: Altair refuses the chart: {error}"
        ) from None
    # The size is that of the whole picture, so that painted and live charts fill the same box.
    size: Json = {"width": panel.width, "height": panel.height}
    return {**chart, **size, "autosize": {"type": "fit", "contains": "padding"}}


def _params(chart: Json) -> list[Json]:
    """Return the parameters of a spec and of its layers."""
    own: list[Json] = list(chart.get("params", []))
    for unit in chart.get("layer", []):
        own += _params(unit)
    return own


def _plain_params(source: SimSource, panel: Panel, chart: Json) -> list[str]:
    """Return the parameters that a control is to set: neither computed nor selected in the chart."""
    names = []
    for param in _params(chart):
        if "bind" in param:
            raise RenderError(
                source.charts_file,
                f"panel {panel.name}: the parameter {param['name']!r} binds an input of its own; "
                "make it a control of the sim with chart=True",
                line_of(source.charts_file, param["name"]),
            )
        if "select" not in param and "expr" not in param:
            names.append(param["name"])
    return names


def _compile(
    source: SimSource, panel: Panel, chart: Json, tables: list[str], names: list[str]
) -> CompiledPanel:
    try:
        vega: Json = vegalite_to_vega(chart)
    except ValueError as error:
        first = str(error).strip().splitlines()[0]
        raise RenderError(
            source.charts_file, f"panel {panel.name}: Vega-Lite refuses the chart: {first}"
        ) from None
    check_drawable(source, panel, vega)
    vega.pop("$schema", None)
    vega.get("usermeta", {}).pop("embedOptions", None)
    data = {d["name"] for d in vega.get("data", [])}
    for table in tables:
        if table not in data:
            raise RenderError(
                source.charts_file, f"panel {panel.name}: table {table!r} is named but never drawn"
            )
    signals = [n for n in source.sim.controls if n in names]
    for signal in vega.get("signals", []):
        if signal["name"] in signals:
            signal["value"] = _plain(source.sim.defaults[signal["name"]])
    return CompiledPanel(panel, json.loads(json.dumps(vega)), tables, signals)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
