"""The dataset: the copy that was meant, split by seed, every digit in its share."""

import numpy as np
import pytest
import sklearn.datasets

from build_scripts.precompute import digits


def test_another_copy_is_refused(monkeypatch):
    bunch = sklearn.datasets.load_digits()
    bunch.images[3, 4, 4] += 1
    monkeypatch.setattr(digits, "load_digits", lambda: bunch)
    with pytest.raises(ValueError, match=r"not the expected one.*reinstall scikit-learn"):
        digits.load()


def test_split_is_seeded_and_whole():
    whole = digits.load()
    train, held_out = digits.split(whole, 360, 0)
    again, _ = digits.split(whole, 360, 0)
    other, _ = digits.split(whole, 360, 1)
    np.testing.assert_array_equal(train.images, again.images)
    assert not np.array_equal(train.images, other.images)
    assert len(train.labels) + len(held_out.labels) == 1797
    together = np.concatenate([train.images, held_out.images]).reshape(1797, -1)
    key = np.lexsort(together.T)
    all_key = np.lexsort(whole.images.reshape(1797, -1).T)
    np.testing.assert_array_equal(together[key], whole.images.reshape(1797, -1)[all_key])
