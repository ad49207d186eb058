"""Patches of photographs: whose they are, and that no test pixel is ever trained on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from build_scripts.precompute.datasets import load
from build_scripts.precompute.datasets.base import digest
from build_scripts.precompute.datasets.photos import CLASSES, DETAIL, credits, photograph, regions

PERMITTED = {"public domain", "CC0 1.0", "CC BY 2.0", "no known copyright restrictions"}
WINDOW = 64


@pytest.fixture(scope="module")
def photos():
    return load("photos")


def covered(shape, split, label):
    """How many patches of a photograph lie on each of its pixels."""
    held = np.zeros(shape[:2], int)
    rows = split.labels == label
    for top, left in zip(split.factors["top"][rows], split.factors["left"][rows], strict=True):
        assert top + WINDOW <= shape[0]
        assert left + WINDOW <= shape[1]
        held[top : top + WINDOW, left : left + WINDOW] += 1
    return held


def test_no_pixel_is_both_trained_and_tested_on(photos):
    for label, credit in enumerate(credits()):
        shape = photograph(credit).shape
        train, test = covered(shape, photos.train, label), covered(shape, photos.test, label)
        assert train.any(), credit.name
        assert test.any(), credit.name
        assert not ((train > 0) & (test > 0)).any(), credit.name


def test_the_parts_are_disjoint_with_another_seed():
    photos = load("photos", seed=1, count=40, test_count=40)
    for label, credit in enumerate(credits()):
        shape = photograph(credit).shape
        both = covered(shape, photos.train, label) * covered(shape, photos.test, label)
        assert not both.any(), credit.name


def test_patches_are_cut_from_their_photograph(photos):
    for split in (photos.train, photos.test):
        for row in range(0, len(split), 97):
            photo = photograph(credits()[split.labels[row]]).astype(float)
            top, left = split.factors["top"][row], split.factors["left"][row]
            window = photo[top : top + WINDOW, left : left + WINDOW]
            mean = (window[::2, ::2] + window[1::2, ::2] + window[::2, 1::2] + window[1::2, 1::2]) / 4
            np.testing.assert_array_equal(split.images[row], np.floor(mean + 0.5))
            assert window.mean(2).std() >= DETAIL


def test_every_photograph_has_its_number(photos):
    assert photos.train.images.shape == (1400, 32, 32, 3)
    assert photos.test.images.shape == (420, 32, 32, 3)
    assert set(np.bincount(photos.train.labels)) == {100}
    assert set(np.bincount(photos.test.labels)) == {30}
    assert photos.classes == CLASSES


def test_patches_are_pinned(photos):
    assert (
        digest(photos.train.images, photos.test.images)
        == "f1b4d0fc0419e021de4c8c751336008f6f3c8ed88c1ed88204c74add5c379d54"
    )
    other = load("photos", seed=1, count=3, test_count=3)
    assert not np.array_equal(other.train.images, load("photos", count=3, test_count=3).train.images)


def test_a_field_of_one_keeps_the_photographs_own_pixels():
    photos = load("photos", size=96, count=2, test_count=2, field=1)
    assert photos.train.images.shape == (28, 96, 96, 3)
    top, left = photos.train.factors["top"][0], photos.train.factors["left"][0]
    whole = photograph(credits()[0])
    np.testing.assert_array_equal(photos.train.images[0], whole[top : top + 96, left : left + 96])


def test_every_photograph_is_credited(photos):
    assert [credit.name for credit in credits()] == sorted(CLASSES)
    for credit in credits():
        assert credit.licence in PERMITTED
        assert credit.author
        assert credit.title
        assert credit.package in ("skimage", "sklearn")
        # A licence that asks for attribution asks for the address too.
        assert credit.licence != "CC BY 2.0" or credit.address.startswith("https://www.flickr.com/")
        assert f"{credit.title}: {credit.author}, {credit.licence}" in photos.source
        assert credit.licence in photos.licence


def test_the_page_has_the_credits():
    page = (Path(__file__).resolve().parents[2] / "docs/develop/pipeline.md").read_text()
    for credit in credits():
        title = f"[{credit.title}]({credit.address})" if credit.address else credit.title
        assert f"| {credit.name} | {title} | {credit.author} | {credit.licence} |" in page


def test_files_come_from_the_wheels_and_nothing_is_downloaded(monkeypatch):
    """scikit-image can fetch; its fetcher takes no part here, and no connection is opened."""
    import socket

    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert len(load("photos", count=1, test_count=1).train) == len(CLASSES)


def test_another_file_is_noticed():
    with pytest.raises(ValueError, match=r"chelsea\.png is not the expected one: sha256 is 596a"):
        photograph(replace(credits()[3], sha256="0" * 64))
    with pytest.raises(ValueError, match=r"skimage has no data/dog.png; reinstall it from its wheel"):
        photograph(replace(credits()[3], file="data/dog.png"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 15}, "size must be 16 to 96 pixels, got 15"),
        ({"size": 97}, "size must be 16 to 96 pixels, got 97"),
        ({"field": 4}, "field must be 1, 2 or 3, got 4"),
        ({"count": 0}, "count must be >= 1, got 0"),
        ({"test_count": 0}, "test_count must be >= 1, got 0"),
        ({"seed": -1}, "seed must be >= 0, got -1"),
        ({"size": 96, "field": 3}, r"astronaut is 512 x 512 pixels and has no room for 4 tiles of 432"),
        ({"test_count": 10**6}, r"astronaut has \d+ places for patches of 64 pixels with some detail"),
        ({"photo": "cat"}, "unexpected keyword argument 'photo'"),
    ],
)
def test_options_out_of_range_are_named(options, said):
    with pytest.raises(ValueError, match=said):
        load("photos", **options)


def test_one_tile_in_four_is_for_testing():
    held_out = regions((200, 300), 40, np.random.default_rng(0))
    tiles = [t for t in np.unique(held_out) if t]
    # 3 x 5 tiles of 60 pixels.
    assert len(tiles) == 4
    assert all((held_out == tile).sum() == 3600 for tile in tiles)
