"""Panels of nt-xent-explorer: where the negatives are, and the loss along two of its arguments."""

from typing import Any, TypeAlias

import altair as alt

from build_scripts.charting import Panel
from build_scripts.look import color

Layers: TypeAlias = alt.LayerChart | alt.FacetChart

# Each slot in braces of its own: the space beside an operator then lies outside of what is refilled.
FORMULA = (
    r"\begin{aligned} \ell &= -\log\frac{e^{s^+/\tau}}{e^{s^+/\tau} + \sum_{k=1}^{2(N-1)} e^{s_k/\tau}} \\"
    r" &= {\slot{log_denominator}} - ({\slot{log_numerator}}) = {\slot{loss}}\ \text{nats} \end{aligned}"
)

# The same scale in both loss panels, so that the operating point stands at one height in both.
# log(1 + loss) holds 0 and the largest reachable loss (about 106 nats) on one axis that never moves.
_TICKS = [0, 1, 3, 10, 30, 100]


def _loss_y(field: str) -> alt.Y:
    return alt.Y(
        field,
        type="quantitative",
        title="nats, on a log(1 + loss) scale",
        scale=alt.Scale(type="symlog", constant=1, domain=[0, 150], nice=False),
        axis=alt.Axis(values=_TICKS, format="d"),
    )


def _halo(base: alt.Chart, *, color_name: str, **mark: Any) -> list[alt.Chart]:
    """Text that stays legible over lines: the same text stroked in the panel's colour, beneath it."""
    return [
        base.mark_text(stroke=color("panel"), strokeWidth=4, strokeJoin="round", **mark),
        base.mark_text(color=color(color_name), **mark),
    ]


def _histogram(low: str, middle: str, high: str, text: str) -> Layers:
    """Bars over similarity, scaled to their own peak; the hardest tenth set off; the positive is a line."""
    x = alt.X(
        "start:Q",
        bin="binned",
        scale=alt.Scale(domain=[-1, 1], nice=False),
        axis=alt.Axis(title="cosine similarity to the anchor", values=[-1, -0.5, 0, 0.5, 1]),
    )
    scale = alt.Scale(domain=[0, 1.5], nice=False)
    bins = alt.Chart(alt.NamedData("bins")).transform_calculate(zero="0")
    point = alt.Chart(alt.NamedData("point"))

    def bars(y: str, y2: str, name: str) -> alt.Chart:
        drawn: alt.Chart = bins.mark_bar(color=color(name), cornerRadiusEnd=0).encode(
            x=x, x2="end:Q", y=alt.Y(f"{y}:Q", scale=scale, axis=None), y2=f"{y2}:Q"
        )
        return drawn

    return alt.layer(
        bars(low, middle, "negative"),
        bars(middle, high, "negative-hard"),
        point.mark_rule(color=color("positive"), strokeWidth=2).encode(
            x="positive:Q", y=alt.datum(0), y2=alt.datum(1.28)
        ),
        *_halo(
            point.encode(x="positive:Q", y=alt.datum(1.2), text="positive_text:N"),
            color_name="positive",
            align={"expr": "datum.positive > 0 ? 'right' : 'left'"},
            dx={"expr": "datum.positive > 0 ? -6 : 6"},
            baseline="middle",
            fontWeight=600,
        ),
        *_halo(
            point.encode(x=alt.datum(-1), y=alt.datum(1.45), text=f"{text}:N"),
            color_name="ink-soft",
            align="left",
            baseline="middle",
        ),
    )


def _against_similarity() -> Layers:
    x = alt.X(
        "positive:Q",
        scale=alt.Scale(domain=[-1, 1], nice=False),
        axis=alt.Axis(title="cosine similarity of the positive", values=[-1, -0.5, 0, 0.5, 1]),
    )
    point, curve = alt.Chart(alt.NamedData("point")), alt.Chart(alt.NamedData("by_similarity"))
    labels = alt.Chart(alt.NamedData("reference_labels")).encode(x=x, y=_loss_y("loss"), text="text:N")
    return alt.layer(
        point.mark_rule(color=color("ink-faint"), strokeDash=[4, 3]).encode(y=_loss_y("chance")),
        alt.Chart(alt.NamedData("references"))
        .mark_line(color=color("negative"), strokeWidth=1.25)
        .encode(x=x, y=_loss_y("loss"), detail="tau:N"),
        curve.mark_line(color=color("loss")).encode(x=x, y=_loss_y("loss")),
        *_halo(
            labels,
            color_name="ink-faint",
            align={"expr": "datum.positive > 0 ? 'right' : 'left'"},
            dy={"expr": "datum.below ? 13 : -7"},
        ),
        *_halo(
            point.encode(x=alt.datum(-1), y=_loss_y("chance"), text="chance_text:N"),
            color_name="ink-faint",
            align="left",
            dx=4,
            dy=10,
        ),
        *_operating_point(point, x, edge=1),
    )


def _against_batch() -> Layers:
    x = alt.X(
        "batch_size:Q",
        scale=alt.Scale(type="log", base=2, domain=[2, 4096], nice=False),
        axis=alt.Axis(title="batch size N (pairs)", values=[2, 8, 32, 128, 512, 4096], format="d"),
    )
    curve = alt.Chart(alt.NamedData("by_batch"))
    point = alt.Chart(alt.NamedData("point"))
    # The dashed line's name stands on the side where the red curve is not.
    sides = {"datum.loss <= datum.chance": -11, "datum.loss > datum.chance": 16}
    names = [
        layer
        for free, dy in sides.items()
        for layer in _halo(
            curve.transform_filter(f"datum.batch_size == 4096 && {free}").encode(
                x=x, y=_loss_y("chance"), text=alt.value("log(2N − 1)")
            ),
            color_name="ink-faint",
            align="right",
            dy=dy,
        )
    ]
    return alt.layer(
        curve.encode(x=x, y=_loss_y("chance")).mark_line(
            color=color("ink-faint"), strokeDash=[4, 3], strokeWidth=1.25, interpolate="monotone"
        ),
        curve.mark_line(color=color("loss"), interpolate="monotone").encode(x=x, y=_loss_y("loss")),
        *names,
        *_operating_point(point, x, edge=4096),
    )


def _operating_point(point: alt.Chart, x: alt.X, *, edge: float) -> list[alt.Chart]:
    """The current state on a curve, and its loss in the free line above the plot."""
    return [
        point.mark_rule(color=color("loss"), strokeWidth=1, opacity=0.5).encode(
            x=x, y=_loss_y("loss"), y2=alt.datum(0)
        ),
        point.encode(x=x, y=_loss_y("loss")).mark_point(
            size=90, color=color("loss"), stroke=color("panel"), strokeWidth=2, opacity=1
        ),
        point.mark_text(align="right", baseline="bottom", color=color("loss"), fontWeight=600).encode(
            x=alt.datum(edge), y=alt.value(-7), text="loss_text:N"
        ),
    ]


def panels() -> list[Panel]:
    """Return four panels; in two columns those that share an axis stand side by side."""
    return [
        Panel(
            "negatives",
            "Where the negatives are",
            _histogram("zero", "count_easy", "count_all", "negatives_text"),
            width=320,
            height=210,
            description="The negatives' similarities, the hardest tenth set off, the positive marked.",
        ),
        Panel(
            "pull",
            "Which of them push: share of the gradient",
            _histogram("zero", "push_easy", "push_all", "pull_text"),
            width=320,
            height=210,
            description="The negatives' shares of the gradient over similarity, the hardest tenth set off.",
        ),
        Panel(
            "by_similarity",
            "Loss against the positive’s similarity",
            _against_similarity(),
            width=320,
            height=210,
            description="Loss over the positive’s similarity at this temperature and at two others.",
        ),
        Panel(
            "by_batch",
            "Loss against the batch size",
            _against_batch(),
            width=320,
            height=210,
            description="Loss over batch size, with log(2N − 1) for comparison.",
        ),
    ]
