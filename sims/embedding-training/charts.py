"""Panels of embedding-training: the points on their circle or sphere, and the run's curves with a cursor."""

import altair as alt

from build_scripts.charting import Panel, TooltipImage
from build_scripts.look import color

_TURN = "datum.turns * yaw * PI / 180"
_TILT = "datum.turns * pitch * PI / 180"


def _seen(chart: alt.Chart, end: str = "") -> alt.Chart:
    """Turn and tilt a point; `u` runs right, `v` up, `w` towards the reader."""
    x, y, z = (f"datum.{axis}{end}" for axis in "xyz")
    return chart.transform_calculate(
        **{
            f"u{end}": f"{x} * cos({_TURN}) + {z} * sin({_TURN})",
            f"ahead{end}": f"{z} * cos({_TURN}) - {x} * sin({_TURN})",
        }
    ).transform_calculate(
        **{
            f"v{end}": f"{y} * cos({_TILT}) - datum.ahead{end} * sin({_TILT})",
            f"w{end}": f"{y} * sin({_TILT}) + datum.ahead{end} * cos({_TILT})",
        }
    )


def _embedding() -> alt.LayerChart:
    params = [alt.param(name="yaw", value=20), alt.param(name="pitch", value=18)]
    params.append(alt.param(name="show", value=list("0123456789")))
    frame = alt.Scale(domain=[-1.04, 1.04], nice=False)
    x, y = (alt.X("u:Q", scale=frame, axis=None), alt.Y("v:Q", scale=frame, axis=None))
    guide = _seen(_seen(alt.Chart(alt.NamedData("guide")), "1"), "2").mark_rule(color=color("ink-faint")).encode(
        x=alt.X("u1:Q", scale=frame, axis=None),
        y=alt.Y("v1:Q", scale=frame, axis=None),
        x2="u2:Q",
        y2="v2:Q",
        # The far side of the sphere is quieter; on the circle all is near.
        opacity=alt.Opacity("near:Q", scale=None),
    ).transform_calculate(near="datum.turns == 0 ? 0.3 : datum.w1 + datum.w2 >= 0 ? 0.42 : 0.13")
    points = (
        _seen(alt.Chart(alt.NamedData("points")))
        .transform_filter("indexof(show, datum.digit) >= 0")
        .transform_calculate(near="datum.turns == 0 ? 0.95 : 0.28 + 0.72 * (datum.w + 1) / 2")
        .transform_calculate(size="datum.turns == 0 ? 11 : 9 + 5 * (datum.w + 1) / 2")
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
    outline = (
        alt.Chart(alt.NamedData("now"))
        .mark_arc(outerRadius={"expr": "min(width, height) / 2.08"}, fillOpacity=0, stroke=color("rule"), strokeWidth=1.5)
        .encode(theta=alt.datum(6.283185, scale=None))
    )
    return alt.layer(guide, points).add_params(*params)


def _band(top: float, bottom: float, low: float, high: float) -> alt.Scale:
    """A y scale that fills part of the panel's height, from `top` to `bottom` in shares of it."""
    ends = [alt.ExprRef(f"height * {bottom}"), alt.ExprRef(f"height * {top}")]
    return alt.Scale(domain=[low, high], range=ends, nice=False)


def _curves() -> alt.LayerChart:
    x = alt.X("epoch:Q", scale=alt.Scale(nice=False), axis=alt.Axis(title="epoch", values=[0, 10, 20, 30, 40, 50]))
    curves, now = alt.Chart(alt.NamedData("curves")), alt.Chart(alt.NamedData("now"))

    def y(field: str, scale: alt.Scale, ticks: list[float]) -> alt.Y:
        return alt.Y(field, type="quantitative", scale=scale, axis=alt.Axis(values=ticks, title=None, orient="left"))

    loss = _band(0.08, 0.44, 4, 5.6), [4, 4.5, 5, 5.5]
    share = _band(0.6, 1, 0, 100), [0, 25, 50, 75, 100]

    def line(field: str, band: tuple[alt.Scale, list[float]], name: str, **mark: object) -> alt.Chart:
        return curves.mark_line(color=color(name), **mark).encode(x=x, y=y(field, *band))

    def spot(field: str, band: tuple[alt.Scale, list[float]], name: str) -> alt.Chart:
        return now.mark_point(size=80, color=color(name), stroke=color("panel"), strokeWidth=2, opacity=1).encode(
            x=x, y=y(field, *band)
        )

    upper = alt.layer(line("other", loss, "negative", strokeWidth=1.25), line("loss", loss, "loss"), spot("loss", loss, "loss"))
    lower = alt.layer(
        line("top5", share, "positive", strokeDash=[5, 3]),
        line("top1", share, "positive"),
        spot("top5", share, "positive"),
        spot("top1", share, "positive"),
    )
    cursor = now.mark_rule(color=color("ink-faint"), strokeWidth=1).encode(x=x)
    return alt.layer(cursor, upper, lower).resolve_scale(y="independent")


def panels() -> list[Panel]:
    """Return the embedding and the curves."""
    return [
        Panel(
            "embedding",
            "Held-out digits, where the network puts them",
            _embedding(),
            width=370,
            height=370,
            renderer="canvas",
            drag={"x": "yaw", "y": "pitch"},
            tooltip_image=TooltipImage(image="digits", column="tile", tile=8),
            description="Each held-out image as its digit on a circle or a sphere, coloured by digit.",
        ),
        Panel(
            "curves",
            "How the training goes",
            _curves(),
            width=370,
            height=370,
            renderer="canvas",
            description="Held-out NT-Xent and positive retrieval over the epochs, with a line at this epoch.",
        ),
    ]
