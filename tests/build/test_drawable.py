"""What the page's Vega lacks is refused at build; what it has is what the list says."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import vl_convert

from build_scripts.render.drawable import TRANSFORMS, check_drawable
from build_scripts.render.errors import RenderError

ROOT = Path(__file__).parents[2]
SOURCE = SimpleNamespace(charts_file=Path("sims/some-sim/charts.py"))
PANEL = SimpleNamespace(name="globe")
ROWS = {"name": "points"}
PLACE = {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}}


def check(vega):
    check_drawable(SOURCE, PANEL, vega)


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        ({"mark": "geoshape", "projection": {"type": "mercator"}}, "make it an image and a Picture"),
        ({"mark": {"type": "image", "url": "a.png"}, "encoding": PLACE}, r"Frame\(images="),
    ],
)
def test_charts_that_only_the_build_could_draw_are_refused(chart, said):
    with pytest.raises(RenderError, match=rf"some-sim/charts\.py: panel globe: .*{said}"):
        check(vl_convert.vegalite_to_vega({"data": ROWS, **chart}))


@pytest.mark.parametrize(
    "name", ["force", "pack", "treemap", "voronoi", "label", "wordcloud", "isocontour", "kde2d", "nest"]
)
@pytest.mark.parametrize("place", ["data", "marks", "group"])
def test_transforms_that_the_page_lacks_are_refused(name, place):
    step = {"type": name}
    spec = {
        "data": {"data": [{"name": "points", "transform": [step]}]},
        "marks": {"marks": [{"type": "text", "transform": [step]}]},
        "group": {"marks": [{"type": "group", "marks": [{"type": "text", "transform": [step]}]}]},
    }[place]
    with pytest.raises(RenderError, match=rf"panel globe: .*'{name}'.*compute it in sim\.py"):
        check(spec)


@pytest.mark.parametrize(
    "transform",
    [
        {"density": "x", "as": ["x", "y"]},
        {"regression": "y", "on": "x"},
        {"loess": "y", "on": "x"},
        {"window": [{"op": "rank", "as": "y"}]},
        {"fold": ["x", "y"], "as": ["k", "y"]},
        {"bin": True, "field": "x", "as": "y"},
        {"quantile": "x", "as": ["x", "y"]},
    ],
)
def test_charts_of_everyday_pass(transform):
    check(
        vl_convert.vegalite_to_vega(
            {"data": ROWS, "transform": [transform], "mark": "line", "encoding": PLACE}
        )
    )


def test_the_list_is_what_the_player_has():
    packages = ["vega-transforms", "vega-view-transforms", "vega-encode", "vega-regression"]
    player = (ROOT / "sims/player/src/chart.ts").read_text(encoding="utf-8")
    assert all(f'from "{package}"' in player for package in packages)
    script = (
        f"const all = await Promise.all({json.dumps(packages)}.map(p => import(p)));"
        "console.log(JSON.stringify(all.flatMap(m => Object.keys(m))))"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert {name.lower() for name in json.loads(done.stdout)} >= TRANSFORMS
