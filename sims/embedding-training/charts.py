"""Panels of embedding-training: the points on their circle or sphere, and the run's curves with a cursor."""

from typing import Any, TypeAlias

import altair as alt

from build_scripts.charting import Panel, TooltipImage
from build_scripts.look import color

Layers: TypeAlias = alt.LayerChart | alt.FacetChart


def _seen(chart: alt.Chart, end: str = "") -> alt.Chart:
    """Turn and tilt what turns, and add what stays.

    `u` runs right and `v` down, both in pixels: a scale would first ask of each number whether it is one,
    which takes as long as turning it. `w` runs towards the reader, in radii.
    """
    x, y, z, ahead = (f"datum.{name}{end}" for name in ("x", "y", "z", "ahead"))
    return chart.transform_calculate(
        **{
            f"u{end}": f"width / 2 + radius_x * ({x} * cos_yaw + {z} * sin_yaw + datum.flat_x{end})",
            f"ahead{end}": f"{z} * cos_yaw - {x} * sin_yaw",
        }
    ).transform_calculate(
        **{
            f"v{end}": f"height / 2 - radius_y * ({y} * cos_pitch - {ahead} * sin_pitch + datum.flat_y{end})",
            f"w{end}": f"{y} * sin_pitch + {ahead} * cos_pitch",
        }
    )


def _embedding() -> Layers:
    params = [alt.param(name="yaw", value=20), alt.param(name="pitch", value=18)]
    params.append(alt.param(name="show", value=list("0123456789")))
    # Once a frame, where a thousand strokes and points would each ask for them.
    for angle in ("yaw", "pitch"):
        params += [alt.param(name=f"{f}_{angle}", expr=f"{f}({angle} * PI / 180)") for f in ("cos", "sin")]
    for axis, length in (("x", "width"), ("y", "height")):
        params.append(alt.param(name=f"radius_{axis}", expr=f"{length} / 2.08"))
    x, y = (alt.X("u:Q", scale=None, axis=None), alt.Y("v:Q", scale=None, axis=None))
    guide = (
        _seen(_seen(alt.Chart(alt.NamedData("guide")), "1"), "2")
        # The far side of the sphere is quieter; on the circle all is near.
        .transform_calculate(near="datum.flat ? 0.28 : datum.w1 + datum.w2 >= 0 ? 0.42 : 0.13")
        .mark_rule(color=color("ink-faint"))
        .encode(
            x=alt.X("u1:Q", scale=None, axis=None),
            y=alt.Y("v1:Q", scale=None, axis=None),
            x2="u2:Q",
            y2="v2:Q",
            opacity=alt.Opacity("near:Q", scale=None),
        )
    )
    points = (
        _seen(alt.Chart(alt.NamedData("points")))
        .transform_filter("indexof(show, datum.digit) >= 0")
        .transform_calculate(near="datum.flat ? 0.95 : 0.64 + 0.36 * datum.w")
        # Whole pixels: a browser shapes a digit anew for every size of type, which is most of a frame.
        .transform_calculate(size="datum.flat ? 11 : round(11.5 + 2.5 * datum.w)")
        .mark_text(fontWeight=600)
        .encode(
            x=x,
            y=y,
            text="digit:N",
            size=alt.Size("size:Q", scale=None),
            opacity=alt.Opacity("near:Q", scale=None),
            order="w:Q",
            color=alt.Color(
                "digit:N",
                legend=None,
                scale=alt.Scale(domain=list("0123456789"), range=[color(f"class-{d}") for d in range(10)]),
            ),
        )
    )
    note = (
        alt.Chart(alt.NamedData("now"))
        .mark_text(align="left", baseline="top", lineBreak="|", color=color("ink-faint"))
        .encode(x=alt.value(0), y=alt.value(0), text="note:N")
    )
    return alt.layer(guide, points, note).add_params(*params)


def _band(top: float, bottom: float, **scale: Any) -> alt.Scale:
    """A y scale that fills part of the panel's height, from `top` to `bottom` in shares of it."""
    ends = [alt.ExprRef(f"height * {bottom}"), alt.ExprRef(f"height * {top}")]
    return alt.Scale(range=ends, **scale)


_LOSS = _band(0.08, 0.44, zero=False, nice=4), alt.Axis(title=None, orient="left", tickCount=4, format=".1f")
_SHARE = _band(0.63, 1, domain=[0, 100]), alt.Axis(title=None, orient="left", values=[0, 50, 100])
_EPOCH = alt.X("epoch:Q", scale=alt.Scale(nice=False), axis=alt.Axis(title="epoch", tickCount=5))


def _y(field: str, band: tuple[alt.Scale, alt.Axis]) -> alt.Y:
    return alt.Y(field, type="quantitative", scale=band[0], axis=band[1])


def _at(share: float, edge: float | None = None) -> dict[str, Any]:
    """A place for text: a share of the height, at the left or (with the last epoch) the right edge."""
    x = alt.value(0) if edge is None else alt.value(alt.ExprRef("width"))
    return {"x": x, "y": alt.value(alt.ExprRef(f"height * {share}"))}


def _curves() -> Layers:
    curves, now = alt.Chart(alt.NamedData("curves")), alt.Chart(alt.NamedData("now"))
    names = alt.Chart(alt.NamedData("names"))

    def line(field: str, band: tuple[alt.Scale, alt.Axis], name: str, **mark: Any) -> alt.Chart:
        drawn: alt.Chart = curves.mark_line(color=color(name), **mark).encode(x=_EPOCH, y=_y(field, band))
        return drawn

    def spot(field: str, band: tuple[alt.Scale, alt.Axis], name: str) -> alt.Chart:
        mark = now.mark_point(size=80, color=color(name), stroke=color("panel"), strokeWidth=2, opacity=1)
        drawn: alt.Chart = mark.encode(x=_EPOCH, y=_y(field, band))
        return drawn

    def name(panel: str, band: tuple[alt.Scale, alt.Axis], ink: str) -> list[alt.Chart]:
        """Names of lines, written on them, legible over others."""
        rows = names.transform_filter(f"datum.band == '{panel}'").encode(
            x=_EPOCH, y=_y("value", band), text="text:N"
        )
        over: dict[str, Any] = {"align": "right", "dy": {"expr": "datum.below ? 11 : -9"}}
        return [
            rows.mark_text(stroke=color("panel"), strokeWidth=4, strokeJoin="round", **over),
            rows.mark_text(color=color(ink), **over),
        ]

    upper = alt.layer(
        line("chance", _LOSS, "ink-faint", strokeDash=[4, 3], strokeWidth=1.25),
        line("other", _LOSS, "negative", strokeWidth=1.25),
        line("loss", _LOSS, "loss"),
        *name("loss", _LOSS, "ink-faint"),
        spot("loss", _LOSS, "loss"),
    )
    lower = alt.layer(
        line("top5", _SHARE, "positive", strokeWidth=1.5),
        line("top1", _SHARE, "positive"),
        *name("share", _SHARE, "positive"),
        spot("top5", _SHARE, "positive"),
        spot("top1", _SHARE, "positive"),
    )
    # One stroke a band, so that the line between them stays free for its heading.
    cursor = [
        now.mark_rule(color=color("rule"), strokeWidth=1).encode(
            x=_EPOCH,
            y=alt.value(alt.ExprRef(f"height * {top}")),
            y2=alt.value(alt.ExprRef(f"height * {bottom}")),
        )
        for top, bottom in ((0.08, 0.44), (0.63, 1))
    ]
    heads = [
        now.mark_text(align="left", baseline="middle", color=color("ink-soft")).encode(
            **_at(0.025), text=alt.value("NT-Xent of held-out views")
        ),
        now.mark_text(align="right", baseline="middle", color=color("loss"), fontWeight=600).encode(
            **_at(0.025, 1), text="loss_text:N"
        ),
        now.mark_text(align="left", baseline="middle", color=color("ink-soft")).encode(
            **_at(0.555), text=alt.value("% of views whose positive is")
        ),
    ]
    layers: Layers = alt.layer(*cursor, upper, lower, *heads).resolve_scale(y="independent")
    return layers


def panels() -> list[Panel]:
    """Return the embedding and the curves."""
    return [
        Panel(
            "embedding",
            "Held-out digits, where the network puts them",
            _embedding(),
            width=320,
            height=320,
            renderer="canvas",
            drag={"x": "yaw", "y": "pitch"},
            tooltip_image=TooltipImage(image="digits", column="tile", tile=8),
            description="Each held-out image as its digit on a circle or a sphere, coloured by digit.",
        ),
        Panel(
            "curves",
            "How the training goes",
            _curves(),
            width=320,
            height=320,
            renderer="canvas",
            description="Held-out NT-Xent and positive retrieval over the epochs, with a line at this epoch.",
        ),
    ]
