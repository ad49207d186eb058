"""Views that cells share are those that each would have made, and only those."""

import numpy as np
import pytest
import torch

from build_scripts.precompute import kept_views
from build_scripts.precompute.job import Job, run_job
from build_scripts.precompute.job_views import views_of
from build_scripts.precompute.kept_views import KeptViews
from build_scripts.precompute.views import generator

IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def nothing_kept():
    kept_views.forget()
    yield
    kept_views.forget()


class Counted:
    """Views of the digits that count how often they are made."""

    def __init__(self):
        self.made = 0
        self.views = views_of(("digit",), 0.5, {})

    def __call__(self, images, rng):
        self.made += 1
        return self.views(images, rng)


def drawn(views, seed, times=3, images=IMAGES):
    """Several views in turn, and what the generator draws after them."""
    rng = generator(seed)
    found = [views(images, rng) for _ in range(times)]
    return [*found, torch.rand(2, generator=rng)]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_views_made_before_are_given_again_and_the_generator_goes_on():
    plain, first, second = (Counted() for _ in range(3))
    wanted = drawn(plain, 1)
    assert same(drawn(KeptViews(first, "a"), 1), wanted)
    assert same(drawn(KeptViews(second, "a"), 1), wanted)
    assert (first.made, second.made) == (3, 0)
    assert same(drawn(KeptViews(second, "a"), 1, times=5)[:3], wanted[:3])
    assert second.made == 2  # only those beyond


@pytest.mark.parametrize(("of", "seed", "images"), [("b", 1, IMAGES), ("a", 2, IMAGES), ("a", 1, IMAGES[:5])])
def test_others_are_made_anew(of, seed, images):
    drawn(KeptViews(Counted(), "a"), 1)
    again = Counted()
    assert same(drawn(KeptViews(again, of), seed, images=images), drawn(Counted(), seed, images=images))
    assert again.made == 3


def test_the_oldest_go_first_and_then_no_more_are_kept(monkeypatch):
    one = 6 * 64 * 4 + 2 * generator(0).get_state().nbytes
    monkeypatch.setattr(kept_views, "LIMIT", 6 * one)
    for of in ("a", "b", "c"):  # "a" has to go for "c"
        drawn(KeptViews(Counted(), of), 1)
    made = {}
    for of in ("c", "b", "a"):
        views = Counted()
        drawn(KeptViews(views, of), 1)
        made[of] = views.made
    assert made == {"c": 0, "b": 0, "a": 3}
    many = Counted()
    drawn(KeptViews(many, "d"), 1, times=9)
    drawn(KeptViews(many, "d"), 1, times=9)
    assert many.made == 9 + 3  # six fit
    assert kept_views._store.held == 6 * one


SETTINGS = Job(epochs=2, train_on=256, few_label_draws=1, view_draws=1)


@pytest.mark.parametrize(
    "changes",
    [
        {"tau": 0.1},
        {"method": "vicreg"},
        {"seed": 1},
        {"strength": 0.9},
        {"batch": 64},
        {"train_on": 300},
        {"dataset_options": {"seed": 1}},
        {"method": "supervised", "labels": 20},
        {"measure_strength": 0.2},
        {"views": ("crop",), "view_options": {"area": 0.5}},
    ],
    ids=str,
)
def test_a_cell_gets_the_same_numbers_after_any_other(changes):
    job = SETTINGS.with_(**changes)
    alone = run_job(job.settings())
    for other in (SETTINGS, SETTINGS.with_(views=("crop",)), SETTINGS.with_(method="supervised", labels=10)):
        kept_views.forget()
        run_job(other.settings())
        after = run_job(job.settings())
        assert alone.keys() == after.keys()
        assert all(np.array_equal(alone[name], after[name], equal_nan=True) for name in alone)


def test_cells_that_differ_in_their_loss_make_views_once(monkeypatch):
    made = []
    real = KeptViews.__call__

    def counted(self, images, rng):
        inner, self.views = self.views, lambda *given: made.append(1) or inner(*given)
        try:
            return real(self, images, rng)
        finally:
            self.views = inner

    monkeypatch.setattr(KeptViews, "__call__", counted)
    run_job(SETTINGS.settings())
    first = len(made)
    run_job(SETTINGS.with_(tau=0.1, d=2).settings())
    assert first == 2 * 2 * 2 + 2  # epochs x batches x views, and one measured pair
    assert len(made) == first
