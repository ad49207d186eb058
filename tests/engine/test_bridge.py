"""The bridge: a sim's file in, JSON text and buffers out, errors with a trace of the sim's own lines."""

import json
import math

import numpy as np
import pytest

from sim_engine.bridge import BridgeError, load_microsim, open_session

HEAD = """
from typing import Annotated

import numpy as np

from sim_engine.microsim import Frame, Legend, Readout, Slider, Toggle, microsim

"""

EXPLORER = (
    HEAD
    + '''
@microsim
def my_sim(
    tau: Annotated[float, Slider(0.1, 1.0, label="τ")] = 0.5,
    show: Annotated[tuple[str, ...], Legend(["0", "1"], label="Digit")] = ("0", "1"),
    fail: Annotated[bool, Toggle(label="Fail")] = False,
) -> Frame:
    """An explorer."""
    if fail:
        raise RuntimeError("as asked\\nwith a second line")
    return Frame(
        tables={"t": {"x": np.array([tau, np.nan, 3], np.float32), "name": ["a", "b", "c"], "y": [1, 2, 3]}},
        readouts={"tau": Readout(tau, "τ"), "nothing": float("inf"), "shown": len(show)},
        images={
            "one": np.full((2, 2, 3), round(100 * tau), np.uint8),
            "same": np.full((2, 2, 3), 7, np.uint8),
            "again": np.full((2, 2, 3), 7, np.uint8),
        },
        alt=f"τ is {tau}.",
    )
'''
)

PROCESS = (
    HEAD
    + '''
@microsim
def my_sim(limit: Annotated[int, Slider(1, 5, label="Limit")] = 2):
    """A process."""
    for i in range(limit):
        if i == 3:
            raise ZeroDivisionError("three")
        yield Frame(readouts={"i": i}, alt=f"Step {i}.")
'''
)


@pytest.fixture
def path(tmp_path):
    """`path(text)`: a sim's file with that text."""

    def write(text):
        folder = tmp_path / "my-sim"
        folder.mkdir(exist_ok=True)
        (folder / "sim.py").write_text(text, encoding="utf-8")
        return str(folder / "sim.py")

    return write


def test_a_frame_in_wire_form(path):
    meta, buffers = open_session(path(EXPLORER)).frame({"tau": 0.25, "show": ["1"]})
    frame = json.loads(meta)
    assert frame["alt"] == "τ is 0.25."
    assert frame["readouts"]["tau"] == {"value": 0.25, "label": "τ", "unit": "", "digits": 3}
    assert frame["readouts"]["nothing"]["value"] is None
    assert frame["readouts"]["shown"]["value"] == 1
    table = frame["tables"]["t"]
    assert table["name"] == ["a", "b", "c"]
    x, y = (buffers[table[c]["$"]] for c in "xy")
    assert x.dtype == y.dtype == np.float64
    assert x[0] == 0.25
    assert math.isnan(x[1])
    assert y.tolist() == [1, 2, 3]
    for buffer in buffers:
        assert buffer.ndim == 1
        assert buffer.flags.c_contiguous


def test_an_image_is_sent_once(path):
    session = open_session(path(EXPLORER))

    def sent(controls):
        meta, buffers = session.frame(controls)
        images = json.loads(meta)["images"]
        assert {(i["width"], i["height"]) for i in images.values()} == {(2, 2)}
        return {n: buffers[i["$"]].tolist() for n, i in images.items() if "$" in i}

    assert sent({}) == {"one": [50] * 12, "same": [7] * 12}
    assert sent({}) == {}
    assert sent({"tau": 0.75}) == {"one": [75] * 12}
    assert sent({"tau": 0.5}) == {}
    # Columns keep their places beside images that stay at home.
    meta, buffers = session.frame({})
    assert buffers[json.loads(meta)["tables"]["t"]["y"]["$"]].tolist() == [1, 2, 3]
    assert sum(b.nbytes for b in buffers) == 2 * 3 * 8


def test_frames_of_the_bridge_and_of_the_build_agree(path):
    file = path(EXPLORER)
    meta, buffers = open_session(file).frame({"tau": 0.3})
    wire, plain = json.loads(meta), load_microsim(file)(tau=0.3).to_json()
    for name, column in wire["tables"]["t"].items():
        values = buffers[column["$"]].tolist() if isinstance(column, dict) else column
        expected = plain["tables"]["t"][name]
        assert [None if v != v else v for v in values] == expected
    assert wire["readouts"] == plain["readouts"]
    for name, image in plain["images"].items():
        assert wire["images"][name]["sha"] == image["sha"]


def test_spec_json_is_the_spec(path):
    session = open_session(path(EXPLORER))
    assert json.loads(session.spec_json()) == session.sim.spec()


def test_a_process_is_started_stepped_ended_and_started_anew(path):
    session = open_session(path(PROCESS))
    with pytest.raises(BridgeError, match="the process has not been started"):
        session.step()
    for _ in range(2):
        session.start({"limit": 2})
        values = []
        while (answer := session.step())[0] is not None:
            values.append(json.loads(answer[0])["readouts"]["i"]["value"])
        assert values == [0, 1]
        assert session.step() == (None, [])


def test_a_process_that_raises_says_where(path):
    session = open_session(path(PROCESS))
    session.start({"limit": 5})
    for _ in range(3):
        session.step()
    with pytest.raises(BridgeError, match=r"^ZeroDivisionError: three$") as caught:
        session.step()
    assert 'raise ZeroDivisionError("three")' in caught.value.trace
    assert session.step() == (None, [])  # a generator that raised has ended


def test_frame_and_start_are_for_their_own_kind(path):
    with pytest.raises(BridgeError, match="my_sim yields its frames: call start, then step"):
        open_session(path(PROCESS)).frame({})
    with pytest.raises(BridgeError, match="my_sim returns its frame: call frame"):
        open_session(path(EXPLORER)).start({})


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_annotations_may_be_objects_or_strings(path, future):
    sim = load_microsim(path(future + EXPLORER))
    assert list(sim.controls) == ["tau", "show", "fail"]
    is_text = isinstance(sim.function.__annotations__["tau"], str)
    assert is_text == bool(future)  # the bridge's own future imports do not leak into the sim


def test_an_error_shows_the_sims_own_lines(path):
    file = path(EXPLORER)
    session = open_session(file)
    with pytest.raises(BridgeError) as caught:
        session.frame({"fail": True})
    error = caught.value
    assert error.message == "RuntimeError: as asked"
    assert error.trace.startswith("Traceback (most recent call last):\n")
    assert f'File "{file}"' in error.trace
    assert 'raise RuntimeError("as asked' in error.trace
    assert "bridge.py" not in error.trace
    assert error.trace.endswith("RuntimeError: as asked\nwith a second line")
    # The session lives on.
    assert json.loads(session.frame({})[0])["alt"] == "τ is 0.5."


def test_an_edited_source_runs_in_the_files_place_and_its_lines_are_shown(path):
    file = path(EXPLORER)
    edited = EXPLORER.replace("if fail:", "if fail:\n        a_line_that_the_file_lacks = 1 / 0")
    session = open_session(file, source=edited)
    with pytest.raises(BridgeError, match=r"^ZeroDivisionError: division by zero$") as caught:
        session.frame({"fail": True})
    assert "a_line_that_the_file_lacks = 1 / 0" in caught.value.trace
    assert json.loads(open_session(file).frame({})[0])["alt"] == "τ is 0.5."
    with pytest.raises(BridgeError, match=r"^RuntimeError: as asked$") as caught:
        open_session(file).frame({"fail": True})
    assert "raise RuntimeError" in caught.value.trace


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"tau": 5}, r"ValueError: tau must lie in \[0.1, 1.0\], got 5"),
        ({"nope": 1}, "ValueError: my_sim has no control 'nope'; it has tau, show, fail"),
        ({"show": ["2"]}, "ValueError: show may hold 0, 1, got '2'"),
        ({"tau": None}, "ValueError: tau must be a finite number, got None"),
    ],
)
def test_a_control_that_is_refused(path, controls, message):
    with pytest.raises(BridgeError, match=message):
        open_session(path(EXPLORER)).frame(controls)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ValueError: .*sim.py must define one @microsim, got none"),
        (EXPLORER + PROCESS.replace("my_sim", "other"), "must define one @microsim, got my_sim, other"),
        ("def broken(:\n", "SyntaxError: invalid syntax"),
        ("import no_such_module_at_all\n", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        (HEAD + "\n@microsim\ndef x(y=1): ...\n", "ValueError: y needs a type of the form"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
        ("raise ValueError\n", "^ValueError$"),
    ],
)
def test_a_file_that_is_no_sim(path, text, message):
    with pytest.raises(BridgeError, match=message) as caught:
        open_session(path(text))
    assert caught.value.trace


def test_one_microsim_of_two_names_is_one(path):
    assert load_microsim(path(EXPLORER + "\nthe_same = my_sim\n")).name == "my_sim"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BridgeError, match=r"FileNotFoundError: .*sim.py"):
        open_session(str(tmp_path / "sim.py"))


def test_a_frame_that_is_none_is_refused(path):
    text = HEAD + '\n@microsim\ndef my_sim():\n    """Forgets to return."""\n'
    with pytest.raises(BridgeError, match="TypeError: my_sim must return or yield a Frame, got NoneType"):
        open_session(path(text)).frame({})
