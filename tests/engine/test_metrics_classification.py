"""Confusion and the scores of each class against scikit-learn, and the convention for 0/0."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from sim_engine import metrics

label_lists = st.integers(1, 30).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(-2, 3), min_size=n, max_size=n)] * 2)
)


@given(label_lists, st.booleans())
def test_both_are_scikit_learns(pair, all_classes):
    labels, said = pair
    classes = [3, 2, 1, 0, -1, -2] if all_classes else sorted({*labels, *said})
    given_classes = classes if all_classes else None
    table = metrics.confusion(labels, said, classes=given_classes)
    assert table.classes.tolist() == sorted(classes)
    if len(classes) > 1:  # of one class scikit-learn warns
        np.testing.assert_array_equal(table.counts, confusion_matrix(labels, said, labels=sorted(classes)))
    assert table.counts.sum() == len(labels)
    scores = metrics.precision_recall_f1(labels, said, classes=given_classes)
    theirs = precision_recall_fscore_support(labels, said, labels=sorted(classes), zero_division=0)
    for ours, wanted in zip(scores[:4], theirs, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-14)
    np.testing.assert_array_equal(scores.classes, sorted(classes))


def test_rows_are_the_truth():
    assert metrics.confusion([5, 5, 8], [8, 8, 8]).counts.tolist() == [[0, 2], [0, 1]]


def test_nought_by_nought_is_nought():
    scores = metrics.precision_recall_f1([0, 0], [1, 1], classes=[0, 1, 2])
    for share in scores[:3]:
        assert share.tolist() == [0, 0, 0]
    assert scores.support.tolist() == [2, 0, 0]


@pytest.mark.parametrize("call", [metrics.confusion, metrics.precision_recall_f1])
@pytest.mark.parametrize(
    ("labels", "said", "classes", "message"),
    [
        ([0, 1], [0], None, "predicted must hold one label per row: 2, got 1"),
        ([0, 1.5], [0, 1], None, "labels must be whole numbers, got 1.5"),
        ([0, np.nan], [0, 1], None, "labels must be finite"),
        ([], [], None, "labels must not be empty"),
        ([0, 1], [[0, 1]], None, "predicted must have 1 axes"),
        ([0, 1], [0, 7], [0, 1], "classes must hold every label that occurs, and 7 is not among them"),
        ([0, 1], [0, 1], [0, 1, 1], "classes must name each label once, got 3 with 2 distinct"),
        ([0, 1], [0, "1"], None, "predicted must hold real numbers"),
    ],
)
def test_refused_by_name(call, labels, said, classes, message):
    with pytest.raises(ValueError, match=message):
        call(labels, said, classes=classes)
