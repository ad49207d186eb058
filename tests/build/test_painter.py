"""What vl-convert answered is kept, and only for the same question."""

import os

import pytest
import vl_convert

from build_scripts.render import painter


def chart(value):
    return {
        "data": {"values": [{"a": value}]},
        "mark": "point",
        "encoding": {"x": {"field": "a", "type": "quantitative"}},
    }


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """An empty cache; the questions that reach vl-convert."""
    monkeypatch.setattr(painter, "_FOLDER", tmp_path / "painted")
    questions = []
    for name in ("vegalite_to_vega", "vega_to_svg", "svg_to_png"):
        real = getattr(vl_convert, name)

        def counted(*args, _name=name, _real=real, **options):
            questions.append(_name)
            return _real(*args, **options)

        monkeypatch.setattr(painter.vl_convert, name, counted)
    return questions


def pictures(value):
    vega = painter.vegalite_to_vega(chart(value))
    svg = painter.vega_to_svg(vega)
    return vega, svg, painter.svg_to_png(svg, 1.0)


def test_the_second_time_is_answered_from_the_cache_and_alike(asked):
    first = pictures(1)
    assert asked == ["vegalite_to_vega", "vega_to_svg", "svg_to_png"]
    assert pictures(1) == first
    assert len(asked) == 3


def test_another_value_or_scale_is_another_picture(asked):
    one, other = pictures(1), pictures(3)
    assert one[1] != other[1]
    assert len(asked) == 6
    assert painter.svg_to_png(one[1], 2.0) != one[2]


def test_a_damaged_answer_is_asked_for_again(asked):
    first = pictures(1)
    for path in painter._FOLDER.iterdir():
        path.write_bytes(path.read_bytes()[:-9])
    assert pictures(1) == first
    assert len(asked) == 6


def test_only_the_last_used_are_kept(asked, monkeypatch):
    pictures(1)
    pictures(2)
    for path in painter._FOLDER.iterdir():
        os.utime(path, (0, 0))
    monkeypatch.setattr(painter, "KEPT", 3)
    pictures(1)
    painter.forget_old()
    pictures(1)
    assert len(asked) == 6
    assert len(list(painter._FOLDER.iterdir())) == 3


def test_a_refused_spec_is_refused_each_time(asked):
    for _ in range(2):
        with pytest.raises(ValueError, match="Vega-Lite"):
            painter.vegalite_to_vega({"mark": {"type": "no-such-mark"}, "encoding": 3})
    assert len(asked) == 2
