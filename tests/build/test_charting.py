"""What charts.py may return, and the errors that name the panel."""

import altair as alt
import pytest

from build_scripts.charting import Panel, Picture, TooltipImage

CHART = alt.Chart(alt.NamedData("points")).mark_point().encode(x="x:Q")


def test_a_panel_has_the_contracts_defaults():
    panel = Panel("loss", "Loss", CHART)
    assert (panel.width, panel.height, panel.renderer, panel.span) == (400, 260, "svg", 1)
    assert (panel.drag, panel.tooltip_image, panel.description) == (None, None, "")


def test_layers_are_charts_too():
    assert Panel("loss", "Loss", alt.layer(CHART, CHART)).chart is not None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "Loss"}, "a panel's name must match .* got 'Loss'"),
        ({"title": "  "}, "panel loss: title must be a text"),
        ({"chart": {"mark": "point"}}, "panel loss: chart must be an Altair chart, got dict"),
        ({"chart": CHART | CHART}, "panel loss: chart must be a single or layered chart, got HConcatChart"),
        ({"width": 0}, "panel loss: width must be a whole number from 40 to 2000, got 0"),
        ({"height": 260.5}, "panel loss: height must be a whole number from 40 to 2000, got 260.5"),
        ({"renderer": "webgl"}, "panel loss: renderer must be svg or canvas, got 'webgl'"),
        ({"span": 3}, "panel loss: span must be a whole number from 1 to 2, got 3"),
        ({"span": True}, "panel loss: span must be a whole number from 1 to 2, got True"),
        ({"drag": {"z": "yaw"}}, 'panel loss: drag must map "x" or "y" to a control, got \'z\''),
        ({"drag": {"x": "Yaw"}}, r"panel loss: drag\['x'\] must match"),
        ({"tooltip_image": "digits"}, "panel loss: tooltip_image must be a TooltipImage, got 'digits'"),
    ],
)
def test_a_wrong_panel_names_itself_and_what_came(change, message):
    with pytest.raises(ValueError, match=message):
        Panel(**{"name": "loss", "title": "Loss", "chart": CHART, **change})


def test_a_wrong_picture_names_itself():
    with pytest.raises(ValueError, match=r"panel view: image must match .* got 'View A'"):
        Picture("view", "View", image="View A")


@pytest.mark.parametrize("tile", [0, 1.5, -8])
def test_a_tile_is_a_whole_number_of_pixels(tile):
    with pytest.raises(ValueError, match="tile must be a whole number"):
        TooltipImage("digits", "tile", tile)
