"""What a job records of every epoch, and the spread by which a collapse is told."""

import numpy as np
import pytest

from build_scripts.precompute.datasets import Split
from build_scripts.precompute.job import CURVES, Job, run_job
from build_scripts.precompute.measures import LEAST_SPREAD, Measures, measure, spread

SHORT = Job(epochs=2, few_label_draws=1, view_draws=1, train_on=300, curve=True)


def part(n, seed):
    """Return images of noise."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, 8, 8, 1), dtype=np.uint8)
    return Split(images, np.arange(n, dtype=np.int64) % 3, {})


def as_they_are(images, generator):
    return images


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_spread_is_one_for_even_directions_and_none_for_a_point():
    rng = np.random.default_rng(0)
    for d in (2, 3, 64):
        assert spread(unit(rng.normal(size=(4000, d)))) == pytest.approx(1.0, abs=0.02)
    assert spread(np.tile(unit(rng.normal(size=(1, 8))), (50, 1))) == pytest.approx(0.0, abs=1e-12)
    # For rows about a mean of length m whose columns vary alike, it is sqrt(1 - m²).
    near = unit(np.ones((4000, 64)) + 0.5 * rng.normal(size=(4000, 64)))
    m = np.linalg.norm(near.mean(axis=0))
    assert spread(near) == pytest.approx(np.sqrt(1 - m**2), abs=0.01)


@pytest.mark.parametrize(("share", "collapsed"), [(LEAST_SPREAD / 2, True), (LEAST_SPREAD * 2, False)])
def test_what_is_left_of_a_point_has_no_rank(share, collapsed):
    def embed(images):
        noise = images.flatten(1) - images.flatten(1).mean()
        noise = noise / noise.norm(dim=1, keepdim=True)
        rows = noise * share
        rows[:, 0] += 1.0
        return rows, rows

    train, test = part(60, 0), part(40, 1)
    found = measure(embed, train, test, as_they_are, Measures(batch=20, view_draws=1), "cpu")
    assert (found["rank_z"] == 1.0) == (found["rank_h"] == 1.0) == collapsed
    assert collapsed or found["rank_z"] > 10


def test_the_curve_begins_untrained_and_ends_where_the_measures_are():
    found = run_job(SHORT.settings())
    for name in CURVES:
        assert found[name].shape == (3,)
        assert np.isfinite(found[name]).all()
    fresh = run_job(SHORT.with_(epochs=0, curve=False).settings())
    assert found["curve_spread_z"][0] == pytest.approx(fresh["spread_z"])
    assert found["curve_knn"][0] == fresh["knn"]
    assert found["curve_spread_z"][-1] == pytest.approx(found["spread_z"])
    assert found["curve_knn"][-1] == found["knn"]
    assert found["curve_loss_train"][-1] == found["loss_train"]
    # Before any step, near the loss of equal similarities of 128 pairs.
    assert found["curve_loss_train"][0] == pytest.approx(np.log(255), abs=0.5)


def test_a_curve_changes_no_training():
    with_, without = (run_job(SHORT.with_(curve=curve).settings()) for curve in (True, False))
    for name in without:
        np.testing.assert_array_equal(with_[name], without[name], err_msg=name)
