"""The JavaScript that the engine is timed against computes what the engine computes."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from build_scripts.bench import page_losses
from build_scripts.bench.cases import gradients
from build_scripts.bench.page_losses import PAGE

PAGES = Path(page_losses.__file__).parent / "pages"
# Odd, and the second beyond one block of the tuned products, which go by two, four and 32.
SIZES = [(13, 7), (71, 37)]
SCRIPT = """
const { timing, folder, jobs } = JSON.parse(process.argv[2]);
const { rows } = await import(timing);
const found = {};
for (const { name, sets, options, n, d } of jobs) {
  const loss = await import(`${folder}/${name}.mjs`);
  const input = rows(n, d, sets);
  const { value, gradients, arrays } = loss.tuned(input, options);
  const values = { plain: loss.plain(input, options), tuned: value() };
  if (loss.kinder) values.kinder = loss.kinder(input, options);
  gradients();
  values.tunedGradients = gradients(); // a second call finds nothing left of the first
  (found[name] ??= []).push({ input, values, arrays: arrays.map((array) => [...array]) });
}
console.log(JSON.stringify(found));
"""


@pytest.fixture(scope="module")
def javascript(tmp_path_factory):
    """What every loss of the pages finds, by name, at both sizes."""
    jobs = [
        {"name": name, "sets": loss.sets, "options": loss.options, "n": n, "d": d}
        for name, loss in PAGE.items()
        for n, d in SIZES
    ]
    places = {"timing": (PAGES / "timing.mjs").as_uri(), "folder": (PAGES / "losses").as_uri()}
    script = tmp_path_factory.mktemp("losses") / "all.mjs"
    script.write_text(SCRIPT)
    command = ["node", str(script), json.dumps({**places, "jobs": jobs})]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("size", range(len(SIZES)), ids=str)
@pytest.mark.parametrize("name", PAGE)
@pytest.mark.parametrize(("dtype", "within"), [(np.float64, 1e-11), (np.float32, 1e-5)])
def test_both_loops_compute_the_engine_s_loss_and_the_tuned_its_gradients(
    javascript, name, size, dtype, within
):
    found = javascript[name][size]
    wanted = PAGE[name].gradients(*np.array(found["input"], dtype=dtype), **PAGE[name].options)
    assert {"plain", "tuned", "tunedGradients"} <= found["values"].keys()
    for key, value in found["values"].items():
        assert value == pytest.approx(wanted.value, rel=within), key
    # Of the arrays that learn, one below the other; a loss may keep several in one.
    ours = np.concatenate([grad.ravel() for grad in gradients(wanted)])
    theirs = np.concatenate(found["arrays"])
    assert np.abs(ours).max() > 0
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=within * np.abs(ours).max())


def test_every_loss_of_the_pages_has_its_two_sides():
    shared = {"plain", "quick"}
    assert {path.stem for path in (PAGES / "losses").glob("*.mjs")} - shared == PAGE.keys()


def test_the_value_alone_is_the_value():
    rng = np.random.default_rng(0)
    for loss in PAGE.values():
        if loss.value:
            arrays = rng.normal(size=(loss.sets, 9, 4))
            with_gradients = loss.gradients(*arrays, **loss.options).value
            assert loss.value(*arrays, **loss.options) == pytest.approx(with_gradients, rel=1e-13)
