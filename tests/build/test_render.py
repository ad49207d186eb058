"""From a folder with sim.py and charts.py to a page: what is written, what is refused, and why."""

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import vl_convert
from PIL import Image

from build_scripts import look, render_sims
from build_scripts.render import cache, worker
from build_scripts.render.bake import states
from build_scripts.render.draw import draw, filled
from build_scripts.render.layout import settle
from build_scripts.render.page import Template
from build_scripts.render.paint import paint
from build_scripts.render.source import front_matter, load
from build_scripts.render.vega import compile_panels
from build_scripts.render_sims import RenderError, build
from sim_engine.bridge import load_microsim

ROOT = Path(__file__).resolve().parents[2]

SIM = '''
"""Pull falls off with distance."""
from typing import Annotated
import numpy as np
from sim_engine.microsim import Choice, Frame, Legend, Readout, Slider, Toggle, microsim

@microsim
def pull_test(
    tau: Annotated[float, Slider(0.02, 1.0, log=True, label="Temperature τ")] = 0.5,
    count: Annotated[int, Slider(2, 5, label="Points", unit="points")] = 3,
    shape: Annotated[str, Choice({"line": "on a line", "ring": "on a ring"}, label="Where")] = "line",
    noisy: Annotated[bool, Toggle(label="Noise")] = False,
    show: Annotated[
        tuple[str, ...], Legend(["a", "b"], colors=["class-0", "class-1"], label="Class", chart=True)
    ] = ("a", "b"),
) -> Frame:
    x = np.linspace(0, 1, count)
    y = np.exp(-x / tau) + (0.1 if noisy else 0.0)
    kind = np.where(np.arange(count) % 2 == 0, "a", "b")
    tile = np.full((8, 16, 3), 40, np.uint8)
    tile[:, 8:] = int(255 * min(1.0, tau))
    return Frame(
        tables={"points": {"x": x, "y": y, "kind": kind, "near": x < 0.5}, "edge": {"at": [1.0 / 3.0]}},
        readouts={"pull": Readout(float(y[0]), "Pull <now>", "nats"), "none": float("nan")},
        images={"tiles": tile},
        alt=f"Pull at τ = {tau:.2f} with </script> in it.",
    )
'''

CHARTS = """
import altair as alt
from build_scripts.charting import Panel, Picture, TooltipImage
from build_scripts.look import color

FORMULA = r"e^{-x/\\tau} = \\slot{pull}"

def panels():
    show = alt.param(name="show", value=["a"])
    points = (
        alt.Chart(alt.NamedData("points"))
        .transform_calculate(double="datum.y * 2")
        .mark_point(color=color("anchor"))
        .encode(x="x:Q", y="double:Q", shape=alt.Shape("kind:N", legend=None),
                opacity=alt.condition("indexof(show, datum.kind) >= 0", alt.value(1), alt.value(0.1)))
    )
    rule = alt.Chart(alt.NamedData("edge")).mark_rule(color=color("loss"), strokeWidth=3).encode(x="at:Q")
    ramp = alt.Chart(alt.NamedData("points")).mark_rect().encode(
        x="x:O", color=alt.Color("y:Q", legend=None))
    return [
        Panel("pull", "Pull & push", alt.layer(points, rule).add_params(show), width=400, height=240,
              tooltip_image=TooltipImage("tiles", "x", 8), description="Pull over distance."),
        Panel("ramp", "As a ramp", ramp, width=300, height=120, drag={"x": "tau"}, renderer="canvas"),
        Picture("view", "Tiles", image="tiles", span=2),
    ]
"""

PAGE = """---
title: Pull, a test
keywords: [pull]
---
## About
"""


def write_sim(sims, *, slug="pull-test", sim=SIM, charts=CHARTS, page=PAGE):
    folder = sims / slug
    (folder / "data").mkdir(parents=True)
    (folder / "sim.py").write_text(sim, encoding="utf-8")
    (folder / "charts.py").write_text(charts, encoding="utf-8")
    (folder / "data" / "rows.npy").write_bytes(b"some bytes")
    (folder / "data" / ".hidden").write_bytes(b"never copied")
    if page is not None:
        (folder / "index.md").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def player_template(tmp_path_factory):
    """A template of our own: these tests are about what the renderer hands over."""
    folder = tmp_path_factory.mktemp("template")
    (folder / "main.html.j2").write_text(
        "<!doctype html><html><head><style>{{ css|safe }}</style><title>{{ title }}</title>"
        '<script type="module" src="{{ player }}"></script></head><body><main data-sim="{{ spec.slug }}">'
        "{% for panel in panels %}<figure data-panel={{ panel.name }}>"
        "{% if panel.type == 'chart' %}{{ panel.svg|safe }}"
        "{% else %}<img src={{ panel.image_url }}>{% endif %}"
        "</figure>{% endfor %}<p role=status>{{ alt }}</p>{{ (formula_html or '')|safe }}"
        "{% for r in readouts %}<output name={{ r.name }}></output>{% endfor %}"
        "{% for c in controls %}<input name={{ c.name }}>{% endfor %}{{ links.page }}</main>"
        '<script type="application/json" id="spec">{{ spec_json|safe }}</script></body></html>',
        encoding="utf-8",
    )
    (folder / "sim.css").write_text(".sim { color: var(--ink); }", encoding="utf-8")
    return Template(folder / "main.html.j2", folder / "sim.css")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(render_sims, "CACHE", tmp_path / "cache")


@pytest.fixture
def here(monkeypatch):
    """Render in this process: the same worker, without the seconds that a new Python takes."""
    monkeypatch.setattr(
        render_sims, "_in_fresh_python", lambda requests: [worker.answer(r) for r in requests]
    )


@pytest.fixture(scope="session")
def rendered(tmp_path_factory, player_template):
    """The test sim, rendered once."""
    root = tmp_path_factory.mktemp("rendered")
    write_sim(root / "sims")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render_sims, "CACHE", root / "cache")
        (page,) = build(root / "sims", root / "out", template=player_template)
    return page


def spec_in(html):
    return json.loads(re.search(r'id="spec">(.*?)</script>', html, re.DOTALL)[1])


def test_the_folder_holds_what_the_contract_names(rendered):
    files = {p.relative_to(rendered.out).as_posix() for p in rendered.out.rglob("*") if p.is_file()}
    images = {f for f in files if f.startswith("images/")}
    assert files - images == {
        "main.html",
        "spec.json",
        "baked.json",
        "poster.svg",
        "poster.png",
        "poster-dark.png",
        "files/sim.py",
        "files/data/rows.npy",
    }
    assert images == set(rendered.spec["images"].values())
    assert not list(rendered.out.parent.glob(".*"))


def test_the_spec_is_the_contracts(rendered):
    spec = rendered.spec
    assert spec_in((rendered.out / "main.html").read_text(encoding="utf-8")) == spec
    assert (spec["contract"], spec["slug"], spec["entry"]) == (1, "pull-test", "pull_test")
    assert (spec["kind"], spec["title"], spec["doc"]) == (
        "explorer",
        "Pull, a test",
        "Pull falls off with distance.",
    )
    assert [c["name"] for c in spec["controls"]] == ["tau", "count", "shape", "noisy", "show"]
    pull, ramp, view = spec["panels"]
    assert (pull["tables"], pull["signals"], pull["drag"]) == (["points", "edge"], ["show"], None)
    assert pull["tooltip_image"] == {"image": "tiles", "column": "x", "tile": 8}
    assert (pull["width"], pull["height"], pull["type"], pull["span"]) == (400, 240, "chart", 1)
    assert (ramp["drag"], ramp["renderer"], ramp["signals"]) == ({"x": "tau"}, "canvas", [])
    assert view == {
        "name": "view",
        "title": "Tiles",
        "description": "",
        "type": "picture",
        "image": "tiles",
        "span": 2,
    }
    assert spec["readouts"][0] == {"name": "pull", "label": "Pull <now>", "unit": "nats", "digits": 3}
    assert spec["frame"]["readouts"]["none"]["value"] is None
    assert (spec["baked"], spec["page"], spec["runtime"]) == (
        "baked.json",
        "index.html",
        "../../runtime/runtime.json",
    )


def test_the_vega_of_a_panel_is_empty_and_starts_at_the_controls_default(rendered):
    vega = rendered.spec["panels"][0]["vega"]
    assert [d for d in vega["data"] if d["name"] in ("points", "edge")] == [
        {"name": "points"},
        {"name": "edge"},
    ]
    (show,) = (s for s in vega["signals"] if s["name"] == "show")
    # The chart's own value, ["a"], gives way to the control's.
    assert show["value"] == ["a", "b"]


@pytest.mark.parametrize(("panel", "size"), [(0, (400, 240)), (1, (300, 120))])
def test_a_plot_has_one_place_in_every_state(rendered, panel, size):
    vega = rendered.spec["panels"][panel]["vega"]
    pad = vega["padding"]
    assert vega["autosize"] == {"type": "none"}
    assert (vega["width"] + pad["left"] + pad["right"], vega["height"] + pad["top"] + pad["bottom"]) == size
    assert min(pad.values()) >= 5


def test_the_margins_have_room_for_the_widest_labels_of_all_states(here, tmp_path, player_template):
    """The y axis runs to 9 at the default and to 10⁹ at the slider's end."""
    narrow = PROCESS.replace("STEPS", "1")
    wide = narrow.replace('Slider(0, 1, label="Rate")] = 0.5', 'Slider(1, 9e9, label="Rate")] = 9.0')
    wide = wide.replace("yield", "return").replace("for step in range(1):", "if step := 1:")
    charts = POINTS.replace('x="x:Q"', 'y="x:Q"')
    lefts = []
    for n, sim in enumerate((narrow, wide)):
        write_sim(tmp_path / f"sims{n}", slug="walk", sim=sim, charts=charts)
        (page,) = build(tmp_path / f"sims{n}", tmp_path / f"out{n}", template=player_template)
        lefts.append(page.spec["panels"][0]["vega"]["padding"]["left"])
    assert lefts[1] > lefts[0] + 30


def test_mounted_files_are_the_sims_and_match_their_hashes(rendered):
    assert [f["path"] for f in rendered.spec["files"]] == ["sim.py", "data/rows.npy"]
    for file in rendered.spec["files"]:
        content = (rendered.out / "files" / file["path"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file["sha256"], file["bytes"])


def test_no_word_of_a_sim_can_end_the_script_element(rendered):
    html = (rendered.out / "main.html").read_text(encoding="utf-8")
    assert html.count("</script>") == 2
    assert spec_in(html)["frame"]["alt"] == "Pull at τ = 0.50 with </script> in it."


def test_a_picture_scales_takes_the_themes_colours_and_has_its_own_ids(rendered):
    html = (rendered.out / "main.html").read_text(encoding="utf-8")
    svgs = re.findall(r"<svg .*?</svg>", html, re.DOTALL)
    assert len(svgs) == 2
    ids = []
    for svg, size in zip(svgs, ("0 0 400 240", "0 0 300 120"), strict=True):
        root = ET.fromstring(svg)
        assert root.get("viewBox") == size
        assert root.get("width") is root.get("height") is None
        assert "IBM Plex Sans" in root.get("font-family")
        ids += [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    anchor = look.color("anchor")
    # Once, on the group of the three points.
    assert svgs[0].count(f'fill="var(--anchor, {anchor})"') == 1
    assert f'"{anchor}"' not in svgs[0]


@pytest.mark.parametrize("panel", [0, 1])
def test_slimming_a_picture_changes_none_of_it(tmp_path, panel):
    source = load(write_sim(tmp_path))
    frame = source.frame.to_json(6)
    compiled = settle(source, compile_panels(source)[panel], [frame])
    raw = ET.tostring(draw(source, compiled, filled(compiled, frame)), encoding="unicode")
    painting = paint(source, compiled, frame)
    slim = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{painting.width}" height="{painting.height}" '
        f'font-family="{look.chart_font()}">{painting.body}</svg>'
    )
    assert len(slim) < 0.6 * len(raw)
    pixels = [
        np.asarray(Image.open(io.BytesIO(vl_convert.svg_to_png(s, scale=2)))).astype(int) for s in (raw, slim)
    ]
    assert pixels[0].shape == pixels[1].shape
    assert (pixels[0] != pixels[0][0, 0]).any()
    # Two decimals tint a few edges; a lost point would be six in ten thousand.
    assert (abs(pixels[0] - pixels[1]).max(axis=2) > 4).mean() < 2e-4


def test_a_ramp_has_a_colour_for_each_theme(rendered):
    html = (rendered.out / "main.html").read_text(encoding="utf-8")
    mixed = re.findall(r'fill="rgb\([^"]*\)" style="fill:light-dark\((rgb\([^)]*\)),(rgb\([^)]*\))\)"', html)
    assert mixed
    assert all(light != dark for light, dark in mixed)


def test_a_page_pays_for_katex_only_with_a_formula(here, rendered, tmp_path, player_template):
    html = (rendered.out / "main.html").read_text(encoding="utf-8")
    assert '<link rel="stylesheet" href="../../assets/katex/katex.min.css">' in html
    slot = re.search(r'data-slot="pull">(.*?)</span></span>', html)[1]
    assert re.sub("<[^>]+>", "", slot) == "1.000"
    write_sim(tmp_path / "sims", charts=CHARTS.replace("FORMULA", "NO_FORMULA"), page=None)
    (plain,) = build(tmp_path / "sims", tmp_path / "out", template=player_template)
    assert "katex" not in (plain.out / "main.html").read_text(encoding="utf-8")
    # Without index.md the title is the slug in words, and there is no page to go to.
    assert plain.title == "Pull test"
    assert "page" not in plain.spec
    assert plain.front == {}


def test_images_hold_the_frames_pixels(rendered):
    shown = rendered.spec["frame"]["images"]["tiles"]
    picture = np.asarray(Image.open(rendered.out / rendered.spec["images"][shown["sha"]]))
    assert picture.shape == (8, 16, 3)
    assert (picture[:, :8] == 40).all()
    assert (picture[:, 8:] == 127).all()


def test_the_poster_shows_the_panels(rendered):
    poster = np.asarray(Image.open(rendered.poster).convert("RGB")).astype(int)
    assert poster.shape[1] == 1200
    for name in ("anchor", "loss"):
        wanted = [int(look.color(name)[i : i + 2], 16) for i in (1, 3, 5)]
        assert (abs(poster - wanted).max(axis=2) < 26).sum() > 50, name
    svg = ET.parse(rendered.out / "poster.svg").getroot()
    assert "var(" not in (rendered.out / "poster.svg").read_text(encoding="utf-8")
    assert svg[0].text == "Pull, a test"


def test_baked_states_are_the_sims_own_frames(rendered):
    baked = json.loads((rendered.out / "baked.json").read_text(encoding="utf-8"))
    sim = load_microsim(rendered.source / "sim.py")
    assert len(baked["states"]) == len(list(states(sim)))
    seen = set()
    for state in baked["states"]:
        assert set(state["controls"]) == {"tau", "count", "shape", "noisy"}
        seen.add(json.dumps(state["controls"]))
        frame = sim(**state["controls"]).to_json(6)
        got = state["frame"]
        for table in got["tables"].values():
            for column, at in table.items():
                table[column] = baked["columns"][at["$"]]
        assert got == frame
    assert len(seen) == len(baked["states"])
    taus = {s["controls"]["tau"] for s in baked["states"]}
    assert {0.02, 1.0, 0.5} <= taus
    assert len(taus) == 18
    assert {s["controls"]["count"] for s in baked["states"]} == {2, 3, 4, 5}
    texts = [json.dumps(c) for c in baked["columns"]]
    assert len(texts) == len(set(texts))


TIMELINE = """
from typing import Annotated
from sim_engine.microsim import Choice, Frame, Slider, Timeline, Toggle, microsim

@microsim
def recorded(
    epoch: Annotated[int, Timeline(0, 9, label="Epoch")] = 9,
    view: Annotated[str, Choice(["2", "3"], label="View")] = "2",
    aligned: Annotated[bool, Toggle(label="Aligned")] = True,
    zoom: Annotated[float, Slider(1, 2, label="Zoom")] = 1.0,
) -> Frame:
    return Frame(tables={"points": {"x": [float(epoch)]}}, alt="A point.")
"""
PROCESS = """
from typing import Annotated
from sim_engine.microsim import Frame, Slider, microsim

@microsim
def walk(rate: Annotated[float, Slider(0, 1, label="Rate")] = 0.5):
    for step in range(STEPS):
        yield Frame(tables={"points": {"x": [step * rate]}}, alt=f"Step {step}.")
"""
POINTS = """
import altair as alt
from build_scripts.charting import Panel

def panels():
    return [Panel("points", "Points", alt.Chart(alt.NamedData("points")).mark_point().encode(x="x:Q"))]
"""


def test_a_timeline_is_baked_across_every_choice_and_toggle(tmp_path):
    folder = write_sim(tmp_path, slug="recorded", sim=TIMELINE, charts=POINTS)
    found = list(states(load_microsim(folder / "sim.py")))
    crossed = [s for s in found if s["zoom"] == 1.0]
    assert len(crossed) == 10 * 2 * 2
    assert len(found) == 40 + 16  # the other values of zoom, with the rest at default
    assert found[0] == {"epoch": 9, "view": "2", "aligned": True, "zoom": 1.0}


@pytest.mark.parametrize(("steps", "kept"), [(75, 60), (4, 4)])
def test_a_process_is_baked_from_its_first_frame(here, tmp_path, player_template, steps, kept):
    write_sim(tmp_path / "sims", slug="walk", sim=PROCESS.replace("STEPS", str(steps)), charts=POINTS)
    (page,) = build(tmp_path / "sims", tmp_path / "out", template=player_template)
    baked = json.loads((page.out / "baked.json").read_text(encoding="utf-8"))
    assert [s["step"] for s in baked["states"]] == list(range(kept))
    assert baked["states"][3]["frame"]["alt"] == "Step 3."
    assert page.spec["frame"]["alt"] == "Step 0."


def test_two_builds_are_byte_identical(rendered, tmp_path, player_template, monkeypatch):
    # Painted anew, or the second would be a copy of the first.
    monkeypatch.setenv("LWL_PAINTED", str(tmp_path / "painted"))
    write_sim(tmp_path / "sims")
    (again,) = build(tmp_path / "sims", tmp_path / "out", template=player_template)
    assert any((tmp_path / "painted").iterdir())
    assert {p.relative_to(again.out): p.read_bytes() for p in again.out.rglob("*") if p.is_file()} == {
        p.relative_to(rendered.out): p.read_bytes() for p in rendered.out.rglob("*") if p.is_file()
    }


def test_an_unchanged_sim_is_not_rendered_again_and_touches_nothing(tmp_path, player_template, monkeypatch):
    folder = write_sim(tmp_path / "sims")
    (page,) = build(tmp_path / "sims", tmp_path / "out", template=player_template)
    before = (page.out / "main.html").stat()
    (folder / "index.md").write_text(PAGE + "More text, which renders nothing.\n", encoding="utf-8")
    monkeypatch.setattr(render_sims, "renderer", lambda *a, **k: pytest.fail("rendered again"))
    lines = []
    build(tmp_path / "sims", tmp_path / "out", template=player_template, report=lines.append)
    assert (page.out / "main.html").stat().st_mtime_ns == before.st_mtime_ns
    assert "unchanged" in lines[0]
    # Damaged output is put right from the cache.
    (page.out / "main.html").write_text("gone", encoding="utf-8")
    build(tmp_path / "sims", tmp_path / "out", template=player_template, report=lines.append)
    assert (page.out / "main.html").stat().st_size == before.st_size
    assert "from cache" in lines[1]


@pytest.mark.parametrize("change", ["sim.py", "charts.py", "data/rows.npy", "index.md", "template"])
def test_every_input_counts(tmp_path, player_template, change):
    folder = write_sim(tmp_path / "sims")
    template = Template(tmp_path / "t.j2", tmp_path / "t.css")
    template.html.write_bytes(player_template.html.read_bytes())
    template.css.write_bytes(player_template.css.read_bytes())
    before = cache.key(folder, template)
    assert cache.key(folder, template) == before
    path = template.css if change == "template" else folder / change
    text = path.read_bytes()
    path.write_bytes(
        text.replace(b"title: Pull", b"title: Push") if change == "index.md" else text + b"\n# more"
    )
    assert cache.key(folder, template) != before


def test_the_code_that_renders_counts_too():
    names = {p.relative_to(ROOT).as_posix() for p in cache.code_files()}
    assert {
        "sim_engine/microsim.py",
        "build_scripts/render/paint.py",
        "build_scripts/look/tokens.json",
    } <= names
    assert {"build_scripts/maths.py", "build_scripts/charting.py"} <= names


def test_a_sim_that_is_gone_leaves_no_page(here, tmp_path, player_template):
    write_sim(tmp_path / "sims", slug="walk", sim=PROCESS.replace("STEPS", "3"), charts=POINTS)
    old = write_sim(tmp_path / "sims", slug="recorded", sim=TIMELINE, charts=POINTS)
    out = tmp_path / "out"
    (out / "_player").mkdir(parents=True)
    assert [p.slug for p in build(tmp_path / "sims", out, template=player_template)] == ["recorded", "walk"]
    old.rename(tmp_path / "elsewhere")
    assert [p.slug for p in build(tmp_path / "sims", out, template=player_template)] == ["walk"]
    assert sorted(p.name for p in out.iterdir()) == ["_player", "walk"]


def refused(tmp_path, template, **parts):
    write_sim(tmp_path / "sims", **parts)
    with pytest.raises(RenderError) as caught:
        build(tmp_path / "sims", tmp_path / "out", template=template)
    assert not (tmp_path / "out" / "pull-test").exists()
    return str(caught.value)


def line_with(text, word):
    return next(i for i, line in enumerate(text.splitlines(), 1) if word in line)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"edge")', '"edges")', "panel pull: there is no table 'edges'; there are points, edge"),
        ('x="at:Q"', 'x="att:Q"', "panel pull: there is no column of table edge 'att'; there are at"),
        (
            "datum.y * 2",
            "datum.z * 2",
            "panel pull: there is no column of table points 'z'; there are x, y, kind, near",
        ),
        ('y="double:Q"', 'y="doubles:Q"', "there is no column of table points 'doubles'"),
        ('image="tiles"', 'image="tile"', "panel view: there is no image 'tile'; there are tiles"),
        ('TooltipImage("tiles", "x"', 'TooltipImage("tiles", "n"', "panel pull: there is no column 'n'"),
        ('{"x": "tau"}', '{"x": "yaw"}', "panel ramp: there is no control 'yaw'; there are tau, count"),
        ('name="show"', 'name="shown"', "the parameter 'shown' is not a control with chart=True"),
        (
            'name="show"',
            'name="tau"',
            "'tau' is not a control with chart=True (give that control chart=True)",
        ),
        (
            'value=["a"]',
            'value=["a"], bind=alt.binding_select(options=["a", "b"])',
            "the parameter 'show' binds an input of its own",
        ),
        (
            ".add_params(show)",
            "",
            "the control 'show' has chart=True, but no panel has alt.param(name='show')",
        ),
        ("slot{pull}", "slot{pulls}", "FORMULA: \\slot{pulls} names no readout; there are pull, none"),
        ("\\tau}", "\\taux}", "FORMULA: the formula"),
        ("width=300, height=120", "width=60, height=40", "panel ramp: its axes and legends leave the plot"),
        ('Picture("view"', 'Picture("ramp"', "panels must have names of their own, got pull, ramp, ramp"),
        ("def panels", "def panel", "panels() must return a list of Panel and Picture, got None"),
    ],
)
def test_a_mistake_in_charts_is_named(here, tmp_path, player_template, old, new, message):
    charts = CHARTS.replace(old, new)
    assert charts != CHARTS
    error = refused(tmp_path, player_template, charts=charts)
    assert message in error
    assert "charts.py" in error.split(": ")[0]


def test_a_misspelt_column_has_its_line(here, tmp_path, player_template):
    charts = CHARTS.replace('x="at:Q"', 'x="att:Q"')
    error = refused(tmp_path, player_template, charts=charts)
    assert f"charts.py:{line_with(charts, 'att:Q')}: " in error


def test_what_a_sim_raises_is_shown_as_its_own_trace(here, tmp_path, player_template):
    sim = SIM.replace("x = np.linspace(0, 1, count)", "x = np.linspace(0, 1, count)[:, nope]")
    error = refused(tmp_path, player_template, sim=sim)
    assert f"sim.py:{line_with(sim, 'nope')}: raises at the defaults: NameError: name 'nope'" in error
    assert "Traceback" in error
    assert "microsim.py" not in error


def test_a_state_that_raises_is_named(here, tmp_path, player_template):
    sim = SIM.replace(
        "x = np.linspace", 'if noisy:\n        raise ValueError("too loud")\n    x = np.linspace'
    )
    error = refused(tmp_path, player_template, sim=sim)
    assert "raises at tau=0.5, count=3, shape='line', noisy=True: ValueError: too loud" in error


@pytest.mark.parametrize(
    ("part", "old", "new", "message"),
    [
        ("sim", "def pull_test(", "def pull_test((", r"sim\.py:\d+: cannot be imported: "),
        ("sim", "pull_test", "other", "the microsim of pull-test must be called pull_test, got other"),
        (
            "sim",
            '"edge": {"at"',
            '("edge" if tau == 0.5 else "ledge"): {"at"',
            "tables must have the same names in every state, got edge, points at the defaults and ledge",
        ),
        (
            "sim",
            "x = np.linspace(0, 1, count)",
            "count = 30_000; x = np.random.default_rng(int(9e9 * tau)).random(count)",
            r"states take [\d,]+ bytes .* at most 1,500,000 fit",
        ),
        (
            "charts",
            CHARTS,
            "def panels(): return [1]\n",
            r"must return a list of Panel and Picture, got \[1\]",
        ),
        ("charts", CHARTS, "import nothing_such\n", r"charts\.py:1: cannot be run: ModuleNotFoundError"),
        ("page", "---\ntitle", "title", r"index\.md:1: must begin with front matter"),
        ("page", "[pull]", "[pull", r"index\.md:\d: its front matter is no YAML"),
        (
            "page",
            "title: Pull, a test\nkeywords: [pull]",
            "- a",
            r"index\.md:1: .* must be a mapping, got list",
        ),
    ],
)
def test_a_mistake_in_a_sim_is_named(here, tmp_path, player_template, part, old, new, message):
    text = {"sim": SIM, "charts": CHARTS, "page": PAGE}[part]
    assert old in text
    assert re.search(message, refused(tmp_path, player_template, **{part: text.replace(old, new)}))


def test_a_folder_must_be_named_like_a_slug(tmp_path, player_template):
    write_sim(tmp_path / "sims", slug="Pull_Test")
    with pytest.raises(RenderError, match="named in lower case with hyphens"):
        build(tmp_path / "sims", tmp_path / "out", template=player_template)


def test_too_many_states_are_refused_with_the_number(here, tmp_path, player_template):
    sim = TIMELINE.replace("Timeline(0, 9", "Timeline(0, 99").replace("= 9,", "= 99,")
    sim = sim.replace('["2", "3"]', '["2", "3", "4"]')
    write_sim(tmp_path / "sims", slug="recorded", sim=sim, charts=POINTS)
    with pytest.raises(RenderError, match=r"616 states would be baked, at most 400 are allowed"):
        build(tmp_path / "sims", tmp_path / "out", template=player_template)


def test_a_sim_that_fails_does_not_take_the_others_down(tmp_path, player_template):
    write_sim(tmp_path / "sims", charts="nonsense(")
    write_sim(tmp_path / "sims", slug="walk", sim=PROCESS.replace("STEPS", "3"), charts=POINTS)
    with pytest.raises(RenderError, match=r"pull-test/charts\.py:1"):
        build(tmp_path / "sims", tmp_path / "out", template=player_template)
    assert (tmp_path / "out" / "walk" / "main.html").is_file()


def test_an_unknown_slug_names_those_there_are(tmp_path, player_template):
    write_sim(tmp_path / "sims")
    with pytest.raises(RenderError, match="has no sim 'pul-test'; it has pull-test"):
        build(tmp_path / "sims", tmp_path / "out", only={"pul-test"}, template=player_template)


def test_a_missing_template_is_named(tmp_path):
    write_sim(tmp_path / "sims")
    with pytest.raises(RenderError, match=r"none\.css: is missing"):
        build(tmp_path / "sims", tmp_path / "out", template=Template(css=tmp_path / "none.css"))


def test_the_front_matter_of_a_page(tmp_path):
    assert front_matter(write_sim(tmp_path)) == {"title": "Pull, a test", "keywords": ["pull"]}


def test_the_command_line_says_what_it_did_and_what_failed(tmp_path):
    write_sim(tmp_path / "sims", slug="walk", sim=PROCESS.replace("STEPS", "3"), charts=POINTS)
    command = [sys.executable, "-m", "build_scripts.render_sims", "--sims", str(tmp_path / "sims")]
    command += ["--out", str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^walk .*main\.html \d+ kB, baked\.json \d+ kB, poster\.png \d+ kB", done.stdout)
    assert "1 sims in" in done.stdout
    done = subprocess.run(
        [*command, "nothing"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "has no sim 'nothing'; it has walk" in done.stderr
