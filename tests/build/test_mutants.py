"""`make mutants`: which steps are taken, that one is put in place, and that a verdict is what it says."""

import signal
import subprocess
import sys

import pytest

from build_scripts import mutants
from build_scripts.mutants import Mutant, mutants_of, outcome, table


@pytest.fixture(scope="module")
def softmax():
    return mutants_of("sim_engine/losses/_softmax.py")


def test_each_mutant_differs_from_the_file_in_the_lines_it_names(softmax):
    found, total = softmax
    before = (mutants.ROOT / "sim_engine/losses/_softmax.py").read_text().splitlines()
    assert len(found) == total > 30
    for mutant in found:
        after = mutant.text.splitlines()
        assert after[: mutant.line - 1] == before[: mutant.line - 1]
        assert after[mutant.line - 1] != before[mutant.line - 1]
        assert before[mutant.line - 1].strip() in mutant.step
    assert any(mutant.step == "scores -= shift[:, None]  →  scores += shift[:, None]" for mutant in found)


def test_a_sample_is_part_of_all_and_repeats_by_seed(softmax):
    file = "sim_engine/losses/_softmax.py"
    some, total = mutants_of(file, 7, 1)
    assert total == softmax[1]
    assert len(some) == 7
    assert {m.text for m in some} <= {m.text for m in softmax[0]}
    assert mutants_of(file, 7, 1)[0] == some
    assert mutants_of(file, 7, 2)[0] != some


def test_the_wording_of_an_error_is_left_alone():
    found, _ = mutants_of("sim_engine/losses/_two_views.py")
    assert not [m for m in found if "MUST HOLD" in m.text or "XXz_a and" in m.text]
    assert [m for m in found if "XXz_aXX" in m.text]  # a name that an error is made of is none


def test_a_mutant_is_read_in_place_of_its_file():
    """In a process of its own, as the engine is imported here."""
    code = """
import sys
from build_scripts.mutants import ROOT, _Reader
text = (ROOT / "sim_engine/losses/_softmax.py").read_text().replace(".sum())", ".sum()) + 3.0")
sys.meta_path.insert(0, _Reader("sim_engine.losses._softmax", "x.py", text))
import numpy as np
from sim_engine.losses import nt_xent_value
print(nt_xent_value(np.ones((4, 2)), np.ones((4, 2)), tau=0.1))
"""
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=mutants.ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert float(done.stdout) == pytest.approx(3.0 + 1.945910149055313)  # log 7


def test_a_wait_status_becomes_a_verdict():
    assert outcome(0) == "survived"
    assert outcome(1 << 8) == "killed"  # a test failed
    assert outcome(2 << 8) == "killed"  # the engine cannot be imported
    assert outcome(signal.SIGXCPU) == "timed out"
    assert outcome(signal.SIGSEGV) == "killed"
    for code in (3, 4, 5, 99):
        with pytest.raises(SystemExit, match=str(code)):
            outcome(code << 8)


def test_a_mutant_that_no_test_reaches_starts_nothing_and_survives():
    mutant = Mutant("sim_engine/losses/x.py", "f", 1, "a  →  b", "")
    assert list(mutants.run([mutant], {}, 2, 60.0)) == [(mutant, "survived")]


def test_the_table_counts_what_was_tried():
    one, two = (Mutant(f"sim_engine/losses/{name}.py", "f", 1, "", "") for name in ("x", "y"))
    lines = table(
        [(one, "killed"), (one, "survived"), (one, "timed out"), (two, "killed")], {one.file: 9, two.file: 1}
    )
    assert lines.splitlines()[2:] == [
        "| `x.py` | 9 | 3 | 2 | 66.7 % |",
        "| `y.py` | 1 | 1 | 1 | 100.0 % |",
        "| all | 10 | 4 | 3 | 75.0 % |",
    ]
