"""The contract: signature to spec, checked calls, frames that would mislead refused."""

import json
import math
from typing import Annotated

import numpy as np
import pytest

from sim_engine.microsim import Choice, Frame, Legend, Readout, Slider, Timeline, Toggle, microsim


@microsim
def everything(
    tau: Annotated[float, Slider(0.02, 1.0, log=True, label="Temperature τ", unit="", help="Divides.")] = 0.5,
    n: Annotated[int, Slider(2, 64, label="Batch", unit="pairs")] = 8,
    dimension: Annotated[str, Choice({"2": "circle", "3": "sphere"}, label="Space")] = "2",
    mirrored: Annotated[bool, Toggle(label="Mirror", chart=True)] = False,
    show: Annotated[tuple[str, ...], Legend(["0", "1"], label="Digit", chart=True)] = ("0", "1"),
    epoch: Annotated[int, Timeline(0, 50, label="Epoch", fps=4.0)] = 50,
) -> Frame:
    """Shows what it was given.

    A second paragraph is not the title.
    """
    return Frame(
        tables={"given": {"number": [tau, n, epoch]}, "shown": {"digit": list(show)}},
        readouts={"tau": tau, "n": n, "on": Readout(float(mirrored), "Mirrored", "", 0)},
        alt=f"Epoch {epoch} in {dimension} dimensions.",
    )


def test_spec_is_the_one_of_the_architecture_page():
    assert everything.spec() == {
        "entry": "everything",
        "kind": "timeline",
        "doc": "Shows what it was given.",
        "controls": [
            {"name": "tau", "type": "slider", "label": "Temperature τ", "help": "Divides.", "chart": False}
            | {"default": 0.5, "min": 0.02, "max": 1.0, "step": None, "log": True, "integer": False}
            | {"unit": "", "digits": 2},
            {"name": "n", "type": "slider", "label": "Batch", "help": "", "chart": False, "default": 8}
            | {"min": 2, "max": 64, "step": None, "log": False, "integer": True}
            | {"unit": "pairs", "digits": 0},
            {"name": "dimension", "type": "choice", "label": "Space", "help": "", "chart": False}
            | {"default": "2"}
            | {"options": [{"value": "2", "label": "circle"}, {"value": "3", "label": "sphere"}]},
            {"name": "mirrored", "type": "toggle", "label": "Mirror", "help": "", "chart": True}
            | {"default": False},
            {"name": "show", "type": "legend", "label": "Digit", "help": "", "chart": True}
            | {"default": ["0", "1"]}
            | {"options": [{"value": v, "label": v, "color": None} for v in "01"]},
            {"name": "epoch", "type": "timeline", "label": "Epoch", "help": "", "chart": False, "default": 50}
            | {"min": 0, "max": 50, "fps": 4.0, "unit": ""},
        ],
    }
    assert json.loads(json.dumps(everything.spec(), allow_nan=False)) == everything.spec()


def test_called_like_any_function():
    frame = everything(tau=0.1, n=4)
    assert frame.readouts["tau"].value == 0.1
    assert frame.readouts["tau"].label == "tau"
    assert frame.alt == "Epoch 50 in 2 dimensions."
    assert everything.name == everything.__name__ == "everything"
    assert everything.__doc__.startswith("Shows")
    assert repr(everything) == "<microsim everything(tau, n, dimension, mirrored, show, epoch)>"
    assert everything.defaults["show"] == ("0", "1")


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"temperature": 1}, "everything has no control 'temperature'; it has tau, n, dimension"),
        ({"tau": 0}, r"tau must lie in \[0.02, 1.0\], got 0"),
        ({"n": 2.5}, "n must be a whole number"),
        ({"dimension": 2}, "dimension must be one of 2, 3, got 2"),
        ({"mirrored": "yes"}, "mirrored must be True or False"),
        ({"show": ["7"]}, "show may hold 0, 1, got '7'"),
        ({"epoch": 51}, r"epoch must lie in \[0, 50\]"),
    ],
)
def test_a_call_names_the_control_it_refuses(controls, message):
    with pytest.raises(ValueError, match=message):
        everything(**controls)


def test_a_process_yields_its_frames():
    @microsim
    def count(limit: Annotated[int, Slider(1, 9, label="Limit")] = 3):
        """Counts."""
        for i in range(limit):
            yield Frame(readouts={"i": i}, alt=f"{i}.")

    assert count.kind == count.spec()["kind"] == "process"
    assert [f.readouts["i"].value for f in count(limit=2)] == [0, 1]
    with pytest.raises(ValueError, match="limit must lie in"):
        count(limit=10)


def test_a_sim_without_controls_is_an_explorer():
    @microsim
    def still() -> Frame:
        return Frame(alt="Nothing moves.")

    assert still.spec()["kind"] == "explorer"
    assert still.doc == "The contract: signature to spec, checked calls, frames that would mislead refused."
    with pytest.raises(ValueError, match="still has no control 'x'; it has none"):
        still(x=1)


def test_what_is_not_a_frame_is_refused():
    @microsim
    def wrong():
        return {"alt": "x"}

    @microsim
    def also_wrong():
        yield 3

    with pytest.raises(TypeError, match="wrong must return or yield a Frame, got dict"):
        wrong()
    with pytest.raises(TypeError, match="also_wrong must return or yield a Frame, got int"):
        next(also_wrong())


TAU = Slider(0, 1, label="τ")


def _no_annotation(x=1):
    pass


def _no_control(x: float = 1):
    pass


def _no_control_in_annotated(x: Annotated[float, "a note"] = 1):
    pass


def _class_not_instance(x: Annotated[float, Slider] = 1):
    pass


def _two_controls(x: Annotated[float, TAU, TAU] = 1):
    pass


def _no_default(x: Annotated[float, TAU]):
    pass


def _bad_default(x: Annotated[float, TAU] = 2):
    pass


def _no_label(x: Annotated[float, Slider(0, 1)] = 1):
    pass


def _capital(X: Annotated[float, TAU] = 1):
    pass


def _reserved(theme: Annotated[float, TAU] = 1):
    pass


def _starred(*x):
    pass


def _two_timelines(
    a: Annotated[int, Timeline(0, 1, label="a")] = 0, b: Annotated[int, Timeline(0, 1, label="b")] = 0
):
    pass


def _timeline_in_a_process(a: Annotated[int, Timeline(0, 1, label="a")] = 0):
    yield


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_no_annotation, r"x needs a type of the form Annotated\[float, Slider\(0, 1\)\], got None"),
        (_no_control, "x needs a type of the form .* got <class 'float'>"),
        (_no_control_in_annotated, "x needs a type of the form"),
        (_class_not_instance, "x needs a type of the form"),
        (_two_controls, "x needs a type of the form"),
        (_starred, "x needs a type of the form"),
        (_no_default, "x needs a default: it is what the built page shows"),
        (_bad_default, r"x must lie in \[0, 1\], got 2"),
        (_no_label, "x needs a label: it is what the reader sees"),
        (_capital, r"the name of a control must match \[a-z\]\[a-z0-9_\]\*, got 'X'"),
        (_reserved, "theme is a parameter of every embed; give the control another name"),
        (_two_timelines, "_two_timelines: a sim has one Timeline at most, and a process has none"),
        (_timeline_in_a_process, "a sim has one Timeline at most"),
    ],
)
def test_a_signature_that_cannot_work_is_refused(function, message):
    with pytest.raises(ValueError, match=message):
        microsim(function)


PIXELS = np.zeros((2, 3, 3), np.uint8)


def test_frame_as_json():
    frame = Frame(
        tables={
            "t": {"x": [1, 2.5, math.nan], "s": ["a", "b", "c"], "b": [True, False, True]},
            "empty": {"x": []},
        },
        readouts={"loss": Readout(math.pi, "NT-Xent", "nats", 3), "nothing": math.nan, "batch_size": 256},
        images={"digits": PIXELS},
        alt="  A sentence. ",
    )
    assert frame.to_json() == {
        "tables": {
            "t": {"x": [1, 2.5, None], "s": ["a", "b", "c"], "b": [True, False, True]},
            "empty": {"x": []},
        },
        "readouts": {
            "loss": {"value": math.pi, "label": "NT-Xent", "unit": "nats", "digits": 3},
            "nothing": {"value": None, "label": "nothing", "unit": "", "digits": 3},
            "batch_size": {"value": 256.0, "label": "batch size", "unit": "", "digits": 3},
        },
        "images": {"digits": {"width": 3, "height": 2, "sha": frame.to_json()["images"]["digits"]["sha"]}},
        "alt": "A sentence.",
    }
    json.dumps(frame.to_json(), allow_nan=False)


def test_rounded_columns_and_full_readouts():
    frame = Frame(tables={"t": {"x": [math.pi, 1e300, -0.0, 123456789]}}, readouts={"r": math.pi}, alt="A.")
    wire = frame.to_json(significant=6)
    assert wire["tables"]["t"]["x"] == [3.14159, 1e300, 0, 123457000]
    assert json.dumps(wire["tables"]["t"]["x"]) == "[3.14159, 1e+300, 0, 123457000]"
    assert wire["readouts"]["r"]["value"] == math.pi
    assert frame.to_json()["tables"]["t"]["x"][0] == math.pi


def test_an_image_is_known_by_shape_and_pixels():
    def sha(pixels):
        return Frame(images={"i": pixels}, alt="A.").to_json()["images"]["i"]["sha"]

    assert sha(PIXELS) == sha(PIXELS.copy()) != sha(PIXELS.reshape(3, 2, 3))
    assert sha(PIXELS) != sha(PIXELS + np.uint8(1))
    assert sha(np.asfortranarray(PIXELS)) == sha(PIXELS)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"alt": ""}, "alt must be a sentence"),
        ({"alt": "  \n"}, "alt must be a sentence"),
        ({"alt": None}, "alt must be a sentence"),
        ({"tables": [1]}, "tables must map names to values, got list"),
        ({"tables": {"t": [1, 2]}}, "table t must map columns to arrays, got list"),
        ({"tables": {"T": {}}}, "the name of a table, readout or image must match"),
        ({"tables": {"t": {"a b": [1]}}}, "the name of a column of t must match .* got 'a b'"),
        ({"tables": {"t": {"a\n": [1]}}}, "the name of a column of t must match"),
        ({"tables": {"t": {"x": [[1], [2]]}}}, r"t.x must be 1-D, got shape \(2, 1\)"),
        ({"tables": {"t": {"x": 1}}}, r"t.x must be 1-D, got shape \(\)"),
        ({"tables": {"t": {"x": [[1], [1, 2]]}}}, "t.x must be 1-D, got rows of different lengths"),
        ({"tables": {"t": {"x": [1, None]}}}, "t.x must hold numbers, strings or booleans, got dtype object"),
        ({"tables": {"t": {"x": [1j]}}}, "t.x must hold numbers, strings or booleans, got dtype complex128"),
        ({"tables": {"t": {"x": [1], "y": [1, 2]}}}, "must have one length, got .*'x': 1, 'y': 2"),
        ({"readouts": {"r": "1"}}, "readout r must be a number, got '1'"),
        ({"readouts": {"r": True}}, "readout r must be a number, got True"),
        ({"readouts": {"r": Readout(1j)}}, "readout r must be a number"),
        ({"readouts": {"_r": 1}}, "the name of a table, readout or image"),
        ({"images": {"i": PIXELS * 1.0}}, r"image i must be uint8 \(H, W, 3\), got float64 \(2, 3, 3\)"),
        ({"images": {"i": PIXELS[0]}}, r"image i must be uint8 \(H, W, 3\), got uint8 \(3, 3\)"),
        ({"images": {"i": PIXELS[..., :1]}}, r"image i must be uint8 \(H, W, 3\)"),
        ({"images": {"i": PIXELS[:0]}}, r"image i must be uint8 \(H, W, 3\)"),
    ],
)
def test_a_frame_that_cannot_be_drawn_is_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        Frame(**{"alt": "A.", **fields})
