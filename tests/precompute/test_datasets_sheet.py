"""The contact sheet: one row a class, one picture an example."""

import pytest
from matplotlib.figure import Figure
from PIL import Image

from build_scripts.precompute.datasets import load
from build_scripts.precompute.datasets.sheet import main, sheet


def test_a_sheet_shows_every_class_and_both_parts():
    data = load("digits")
    figure = sheet(data, columns=5)
    assert isinstance(figure, Figure)
    assert len(figure.axes) == 10 * 5
    words = {text.get_text() for text in figure.texts}
    assert {*data.classes, "digits", "training part", "test part"} <= words
    # Ink is dark on the sheet; the first image is the first zero.
    shown = figure.axes[0].images[0].get_array()
    first = data.train.images[data.train.labels == 0][0, ..., 0]
    assert (shown == 255 - first).all()


def test_no_two_pictures_overlap_and_none_leaves_the_sheet():
    boxes = [axes.get_position() for axes in sheet(load("tinted-digits"), columns=4).axes]
    assert all(box.x0 > 0 and box.x1 < 1 and box.y0 > 0 and box.y1 < 1 for box in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_the_command_writes_the_sheet(tmp_path, capsys):
    out = tmp_path / "digits.png"
    asked = ["digits", "--out", str(out), "--columns", "4", "--dpi", "40", "--options", '{"held_out": 100}']
    assert main(asked) == 0
    assert "sha256 87ff" in capsys.readouterr().out
    with Image.open(out) as picture:
        assert picture.width > 100


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["nothing"], "there is no dataset 'nothing'"),
        (["digits", "--columns", "3"], "columns must be 4 to 24, got 3"),
        (["digits", "--options", '{"held_out": 1}'], "held_out must be 10 to 1787"),
    ],
)
def test_what_is_wrong_is_said(asked, said, tmp_path, capsys):
    assert main([*asked, "--out", str(tmp_path / "a.png")]) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
