"""Panels of embedding-training: the points on their circle or sphere, and the run's curves with a cursor."""

from typing import Any, TypeAlias

import altair as alt

from build_scripts.charting import Panel, TooltipImage
from build_scripts.look import color

Layers: TypeAlias = alt.LayerChart | alt.FacetChart

# What does not turn (the circle, the outline) has `turns` 0, and so a cosine of 1 and a sine of 0.
_COS_YAW, _SIN_YAW = "(1 - datum.turns * (1 - cos_yaw))", "datum.turns * sin_yaw"
_COS_PITCH, _SIN_PITCH = "(1 - datum.turns * (1 - cos_pitch))", "datum.turns * sin_pitch"


def _seen(chart: alt.Chart, end: str = "") -> alt.Chart:
    """Turn and tilt a point; `u` runs right, `v` up, `w` towards the reader."""
    x, y, z = (f"datum.{axis}{end}" for axis in "xyz")
    return chart.transform_calculate(
        **{
            f"u{end}": f"{x} * {_COS_YAW} + {z} * {_SIN_YAW}",
            f"ahead{end}": f"{z} * {_COS_YAW} - {x} * {_SIN_YAW}",
        }
    ).transform_calculate(
        **{
            f"v{end}": f"{y} * {_COS_PITCH} - datum.ahead{end} * {_SIN_PITCH}",
            f"w{end}": f"{y} * {_SIN_PITCH} + datum.ahead{end} * {_COS_PITCH}",
        }
    )


def _embedding() -> Layers:
    params = [alt.param(name="yaw", value=20), alt.param(name="pitch", value=18)]
    params.append(alt.param(name="show", value=list("0123456789")))
    # Once a frame, where a thousand strokes and points would each ask for them.
    for angle in ("yaw", "pitch"):
        params += [alt.param(name=f"{f}_{angle}", expr=f"{f}({angle} * PI / 180)") for f in ("cos", "sin")]
    frame = alt.Scale(domain=[-1.04, 1.04], nice=False)
    x, y = (alt.X("u:Q", scale=frame, axis=None), alt.Y("v:Q", scale=frame, axis=None))
    guide = (
        _seen(_seen(alt.Chart(alt.NamedData("guide")), "1"), "2")
        # The far side of the sphere is quieter; on the circle all is near.
        .transform_calculate(near="datum.turns == 0 ? 0.28 : datum.w1 + datum.w2 >= 0 ? 0.42 : 0.13")
        .mark_rule(color=color("ink-faint"))
        .encode(
            x=alt.X("u1:Q", scale=frame, axis=None),
            y=alt.Y("v1:Q", scale=frame, axis=None),
            x2="u2:Q",
            y2="v2:Q",
            opacity=alt.Opacity("near:Q", scale=None),
        )
    )
    points = (
        _seen(alt.Chart(alt.NamedData("points")))
        .transform_filter("indexof(show, datum.digit) >= 0")
        .transform_calculate(near="datum.turns == 0 ? 0.95 : 0.28 + 0.72 * (datum.w + 1) / 2")
        # Whole pixels: a browser shapes a digit anew for every size of type, which is most of a frame.
        .transform_calculate(size="datum.turns == 0 ? 11 : round(9 + 2.5 * (datum.w + 1))")
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
