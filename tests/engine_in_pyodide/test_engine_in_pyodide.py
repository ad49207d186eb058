"""The engine in the runtime that readers get gives CPython's numbers."""

import json
from pathlib import Path

import pytest

from build_scripts.runtime_tools.node import run_inside

HERE = Path(__file__).parent
SIMS = HERE.parents[1] / "sims"


@pytest.fixture(scope="module")
def numbers(in_both):
    return in_both(HERE / "engine_numbers.py", "/numbers", mounts={"/numbers": HERE / "numbers"})


def test_every_public_name_gives_the_same_numbers(numbers, assert_close):
    host, browser = numbers
    assert host["numbers"].keys() == browser["numbers"].keys()
    for call, parts in host["numbers"].items():
        assert_close(parts, browser["numbers"][call], call)
    assert browser["count"] > 100_000


@pytest.mark.parametrize("world", [0, 1])
def test_no_public_name_is_left_out(numbers, world):
    """A new name of an `__all__` needs a call in `numbers/`, or its reason in `engine_numbers.py`."""
    assert numbers[world]["missing"] == []
    assert numbers[world]["stale"] == []


def test_a_wrong_number_would_be_seen(assert_close):
    with pytest.raises(AssertionError, match="loss"):
        assert_close({"loss": [1.0]}, {"loss": [1.0 + 3e-9]})


def test_every_sim_agrees_at_its_defaults_and_ends(in_both, assert_close):
    host, browser = in_both(HERE / "sim_frames.py", "/sims", mounts={"/sims": SIMS})
    slugs = {path.parent.name for path in SIMS.glob("*/sim.py")}
    assert {key.split(" ")[0] for key in host} == slugs
    assert_close(host, browser)


def test_the_engine_comes_from_its_wheel_without_sources(built_runtime, tmp_path):
    script = tmp_path / "where.py"
    script.write_text(
        "import json, sim_engine\nprint(json.dumps([sim_engine.__file__, sim_engine.__version__]))\n"
    )
    said = run_inside(
        script, [], index=built_runtime, mounts={}, lock=built_runtime / "lock.json", packages=["sim_engine"]
    )
    path, version = json.loads(said)
    assert path == "/lib/python3.14/site-packages/sim_engine/__init__.pyc"
    assert version == json.loads((built_runtime / "runtime.json").read_text())["engine"]


def test_an_error_in_the_engine_names_its_file_and_line(built_runtime, tmp_path):
    script = tmp_path / "wrong.py"
    script.write_text(
        "from sim_engine import losses\nlosses.nt_xent([[1.0, 0.0]] * 2, [[1.0, 0.0]] * 2, -1.0)\n"
    )
    with pytest.raises(Exception, match=r"sim_engine/losses/nt_xent\.py.*line \d+(?s:.*)ValueError: tau"):
        run_inside(
            script,
            [],
            index=built_runtime,
            mounts={},
            lock=built_runtime / "lock.json",
            packages=["sim_engine"],
        )
