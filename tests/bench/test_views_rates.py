"""The measurement of the views: every way of making them is timed, and they make the same."""

import pytest
import torch

from build_scripts.bench import views
from build_scripts.bench.browser import BenchError
from build_scripts.precompute.device_views import DeviceViews

torch.set_num_threads(1)


def test_every_way_of_making_views_is_timed(monkeypatch):
    monkeypatch.setattr(views, "SIDES", (8, 12))
    found = views._rates(2, count=3)
    assert [entry["side"] for entry in found] == [8, 12]
    for entry in found:
        assert {"loop", "sim_engine in batches", "torch on cpu"} <= entry["rates"].keys()
        assert all(len(rates) == 2 and min(rates) > 0 for rates in entry["rates"].values())


def test_other_views_are_not_timed(monkeypatch):
    apply = DeviceViews.apply
    monkeypatch.setattr(DeviceViews, "apply", lambda *given: apply(*given) * 0.99)
    monkeypatch.setattr(views, "SIDES", (8,))
    with pytest.raises(BenchError, match="8 × 8: the two make views"):
        views._rates(1, count=3)
