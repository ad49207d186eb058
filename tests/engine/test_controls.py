"""The controls of a microsim: what each accepts, covers and says of itself."""

import math
from fractions import Fraction
from itertools import pairwise
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim_engine.microsim import Choice, Control, Legend, Slider, Timeline, Toggle, microsim


def control_of(annotation, default):
    """The control as a sim gets it: an int annotation makes a slider whole."""

    def sim(x=default):
        """A sim."""

    sim.__annotations__ = {"x": annotation}
    return microsim(sim).controls["x"]


def whole(*args, **kwargs):
    return control_of(Annotated[int, Slider(*args, label="x", **kwargs)], int(args[0]))


def test_slider_takes_numbers_of_its_range():
    slider = Slider(0.02, 1, label="τ")
    for value in (0.02, 1, 0.5, np.float32(0.5), np.int64(1), Fraction(1, 2)):
        taken = slider.accept("tau", value)
        assert type(taken) is float
        assert taken == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.01, r"tau must lie in \[0.02, 1\], got 0.01"),
        (1.0001, r"tau must lie in \[0.02, 1\], got 1.0001"),
        (math.nan, "tau must be a finite number, got nan"),
        (math.inf, "tau must be a finite number, got inf"),
        (10**400, "tau must be a finite number, got 1000"),
        ("0.5", "tau must be a finite number, got '0.5'"),
        ("x" * 10_000, r"tau must be a finite number, got 'x{56}\.\.\.$"),
        (True, "tau must be a finite number, got True"),
        (None, "tau must be a finite number, got None"),
        ([0.5], r"tau must be a finite number, got \[0.5\]"),
        (0.5j, "tau must be a finite number, got 0.5j"),
    ],
)
def test_slider_refuses(value, message):
    with pytest.raises(ValueError, match=message):
        Slider(0.02, 1, label="τ").accept("tau", value)


def test_a_number_too_long_to_print_is_refused_all_the_same():
    with pytest.raises(ValueError, match="tau must be a finite number, got a number of thousands of digits"):
        Slider(0, 1, label="τ").accept("tau", 10**5000)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("count", [2, 3, 17])
def test_values_of_a_slider_cover_it_on_its_scale(count, log):
    values = Slider(0.02, 1.0, log=log, label="τ").values(count)
    assert len(values) == count
    assert (values[0], values[-1]) == (0.02, 1.0)
    gaps = np.diff(np.log(values) if log else values)
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-9)


@given(st.integers(-50, 50), st.integers(1, 400), st.integers(1, 30), st.integers(2, 20), st.booleans())
def test_values_are_accepted_distinct_rising_and_on_the_steps(low, steps, step, count, is_whole):
    make, unit = (whole, 1) if is_whole else (Slider, 0.01)
    low, high, step = low * unit, (low + steps * step) * unit, step * unit
    slider = make(low, high, step=step) if is_whole else Slider(low, high, step=step, label="x")
    values = slider.values(count)
    assert len(values) <= max(count, 2)
    assert (values[0], values[-1]) == (pytest.approx(low), pytest.approx(high))
    assert all(a < b for a, b in pairwise(values))
    for value in values:
        slider.accept("x", value)
        assert (value - low) / step == pytest.approx(round((value - low) / step), abs=1e-6)


def test_whole_slider():
    slider = whole(2, 4096, log=True)
    assert slider.accept("n", 256.0) == 256
    assert type(slider.accept("n", np.float64(256))) is int
    assert whole(2, 2048, log=True).values(11) == [2**k for k in range(1, 12)]
    assert all(type(v) is int for v in slider.values(17))
    assert whole(2, 6).values(17) == [2, 3, 4, 5, 6]
    assert slider.spec() == {
        "min": 2,
        "max": 4096,
        "step": None,
        "log": True,
        "integer": True,
        "unit": "",
        "digits": 0,
    }
    with pytest.raises(ValueError, match=r"n must be a whole number, got 2.5"):
        slider.accept("n", 2.5)
    with pytest.raises(ValueError, match=r"max of a whole-number slider must be a whole number, got 6.5"):
        whole(2, 6.5)


def test_timeline():
    timeline = Timeline(0, 50, label="Epoch")
    assert timeline.accept("epoch", 50.0) == 50
    assert timeline.values(3) == list(range(51))
    for value, message in ((51, r"must lie in \[0, 50\]"), (1.5, "whole number"), ("1", "finite number")):
        with pytest.raises(ValueError, match=message):
            timeline.accept("epoch", value)


def test_choice():
    for choice in (Choice(["2", "3"]), Choice({"2": "circle", "3": "sphere"})):
        assert choice.accept("dimension", "3") == "3"
        assert choice.values(1) == ["2", "3"]
        for value in ("4", 2, None, ["2"], {"2": 1}, "x" * 1000):
            with pytest.raises(ValueError, match="dimension must be one of 2, 3, got"):
                choice.accept("dimension", value)
    assert Choice({"2": "circle", "3": "sphere"}).spec() == {
        "options": [{"value": "2", "label": "circle"}, {"value": "3", "label": "sphere"}]
    }


def test_toggle():
    toggle = Toggle(label="x")
    assert toggle.accept("x", True) is True
    assert toggle.accept("x", np.False_) is False
    assert toggle.values(9) == [False, True]
    for value in (1, 0, "true", None):
        with pytest.raises(ValueError, match="x must be True or False, got"):
            toggle.accept("x", value)


def test_legend():
    legend = Legend(["0", "1", "2"], colors=["class-0", "class-1", "class-2"])
    assert legend.accept("show", ["2", "0", "2"]) == ("0", "2")
    assert legend.accept("show", "1") == ("1",)
    assert legend.accept("show", ()) == ()
    assert legend.values(17) == [("0", "1", "2"), ("0",), ()]
    assert legend.spec()["options"][1] == {"value": "1", "label": "1", "color": "class-1"}
    assert Legend({"a": "A"}).spec()["options"] == [{"value": "a", "label": "A", "color": None}]
    for value in (["3"], [0], [["0"]]):
        with pytest.raises(ValueError, match="show may hold 0, 1, 2, got"):
            legend.accept("show", value)
    for value in (3, None, {"0": 1}):
        with pytest.raises(ValueError, match="show must be a tuple of 0, 1, 2, got"):
            legend.accept("show", value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Slider(1, 1), "min < max, got 1 and 1"),
        (lambda: Slider(0, math.inf), "finite ends"),
        (lambda: Slider(math.nan, 1), "finite ends"),
        (lambda: Slider(0, 1, log=True), "a log slider needs min > 0, got 0"),
        (lambda: Slider(0, 1, step=0), r"step must lie in \(0, max - min\], got 0"),
        (lambda: Slider(0, 1, step=2), r"step must lie in \(0, max - min\], got 2"),
        (lambda: Slider(0, 1, step=0.3), "step must divide the range from 0 to 1, .* got 0.3"),
        (lambda: Timeline(3, 2), "min < max"),
        (lambda: Timeline(0, 2.5), "max of a timeline must be a whole number"),
        (lambda: Timeline(0, 2, fps=0), "fps must be finite and > 0, got 0"),
        (lambda: Choice(["a"]), "a choice needs two options or more"),
        (lambda: Choice("ab"), "a choice needs two options or more"),
        (lambda: Legend([]), "a legend needs entries"),
        (lambda: Legend("ab"), "a legend needs entries"),
        (lambda: Legend(["a", "b"], colors=["class-0"]), "one token per entry: 2, got 1"),
    ],
)
def test_a_control_that_cannot_work_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_the_bare_control_is_only_a_base():
    for call in (lambda c: c.accept("x", 1), lambda c: c.values(2), lambda c: c.spec()):
        with pytest.raises(NotImplementedError):
            call(Control())
