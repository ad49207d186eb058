"""What Python says in the page is what Python says here."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from sim_engine.microsim import Legend, Slider, Timeline

SIMS = ["nt-xent-explorer", "embedding-training"]


def ends(sim):
    """Each control's ends with the others at their defaults: (name, control, value)."""
    for name, control in sim.controls.items():
        values = control.values(17)
        few = [values[0], values[-1]] if isinstance(control, Slider | Timeline) else values
        for value in few:
            yield name, control, value


def same_numbers(page_values, frame):
    assert set(page_values) == set(frame.readouts)
    for name, readout in frame.readouts.items():
        here, there = readout.value, page_values[name]
        if here != here or here in (float("inf"), float("-inf")):
            assert there is None, name
        else:
            assert there == pytest.approx(here, rel=1e-9, abs=1e-9), name


def pictures(page):
    """The panels as they are once nothing moves in them."""
    panels = page.locator("figure[data-panel] .panel-view").all()
    before = None
    for _ in range(40):
        now = [panel.screenshot() for panel in panels]
        if now == before:
            return [np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int) for png in now]
        before = now
        page.wait_for_timeout(100)
    raise AssertionError("the panels do not come to rest")


@pytest.mark.parametrize("slug", SIMS)
def test_every_readout_equals_cpython_at_defaults_and_ends(slug, open_sim, python_sim, page):
    sim = python_sim(slug)
    shown = open_sim(slug, run=True)
    same_numbers(shown.readouts(), sim())
    assert shown.root.get_by_role("status").inner_text().strip() == sim().alt.strip()
    first = pictures(page)
    for name, control, value in ends(sim):
        if control.chart:
            continue
        before = shown.frame
        shown.set(name, control, value)
        if value != sim.defaults[name]:
            shown.scope.locator(f"main.sim:not([data-frame='{before}'])").wait_for(state="attached")
            shown.wait_drawn(f"{name}=")
        shown.wait_state("live")
        page.wait_for_timeout(120)
        same_numbers(shown.readouts(), sim(**{name: value}))
        shown.set(name, control, sim.defaults[name])
        page.wait_for_timeout(120)
    same_numbers(shown.readouts(), sim())
    # Marks that have been everywhere and back are drawn as if they were new.
    for now, then in zip(pictures(page), first, strict=True):
        assert now.shape == then.shape
        # Chromium rounds single pixels of a curve now so, now so; a line drawn twice differs by more.
        assert abs(now - then).max() <= 16


@pytest.mark.parametrize("slug", SIMS)
def test_the_build_painted_cpythons_numbers(slug, open_sim, python_sim, quiet_context, book):
    page = quiet_context(java_script_enabled=False).new_page()
    shown = open_sim(slug, on=page)
    sim = python_sim(slug)
    same_numbers(shown.readouts(), sim())
    assert sim().alt.strip() in re.sub(r"\s+", " ", page.locator("main").inner_text())
    for figure in page.locator("figure[data-panel]").all():
        box = figure.locator("svg, img").first.bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 100
    assert shown.state == "painted"


@pytest.mark.parametrize("slug", SIMS)
def test_chart_controls_redraw_without_asking_python(slug, open_sim, python_sim, page):
    sim = python_sim(slug)
    chart_only = {n: c for n, c in sim.controls.items() if c.chart}
    if not chart_only:
        pytest.skip(f"{slug} has no control of the chart alone")
    shown = open_sim(slug, run=True)
    readouts = shown.readouts()
    for name, control in chart_only.items():
        value = (next(iter(control.options)),) if isinstance(control, Legend) else control.max
        before = page.locator("figure[data-panel]").first.screenshot()
        shown.set(name, control, value)
        shown.wait_drawn(f"{name}=")
        page.wait_for_timeout(150)
        assert page.locator("figure[data-panel]").first.screenshot() != before, name
        assert shown.readouts() == readouts


def test_a_process_steps_plays_and_scrubs_back(open_sim, python_sim, page):
    shown = open_sim("process-walk", run=True)
    frames = python_sim("process-walk")()
    first = next(frames)
    same_numbers(shown.readouts(), first)
    for _ in range(3):
        shown.root.locator("[data-action=step]").click()
        page.wait_for_timeout(150)
        same_numbers(shown.readouts(), next(frames))
    for _ in range(3):
        shown.root.locator("[data-action=step-back]").click()
        page.wait_for_timeout(80)
    same_numbers(shown.readouts(), first)
    shown.root.locator("[data-action=play]").click()
    page.wait_for_timeout(1500)
    shown.root.locator("[data-action=play]").click()
    assert shown.readouts() != {n: r.value for n, r in first.readouts.items()}


def test_dragging_200_steps_leaves_the_last_value_and_a_live_page(open_sim, python_sim, page):
    sim = python_sim("nt-xent-explorer")
    shown = open_sim("nt-xent-explorer", run=True)
    slider = shown.root.locator("input[type=range][name=tau]")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    page.evaluate(
        """() => { window.longest = 0; let last = performance.now();
        const tick = now => { window.longest = Math.max(window.longest, now - last); last = now;
        requestAnimationFrame(tick); }; requestAnimationFrame(tick); }"""
    )
    page.mouse.move(box["x"] + 3, y)
    page.mouse.down()
    for i in range(200):
        page.mouse.move(box["x"] + 3 + (box["width"] - 6) * ((i * 37) % 200) / 199, y)
    page.mouse.move(box["x"] + box["width"] * 0.4, y)
    page.mouse.up()
    page.wait_for_timeout(800)
    tau = float(shown.root.locator("input[name='tau:value']").input_value())
    drawn = float(re.search(r"(?:^|&)tau=([^&]+)", shown.drawn).group(1))
    assert drawn == pytest.approx(tau, rel=1e-2)
    same_numbers(shown.readouts(), sim(tau=drawn))
    # Not a speed test: the page must never hang for a whole second while Python answers.
    assert page.evaluate("window.longest") < 1000


def test_a_sim_that_raises_keeps_its_last_good_frame(open_sim, python_sim, page):
    sim = python_sim("raises-above")
    shown = open_sim("raises-above", run=True)
    good = shown.readouts()
    name, control = next(iter(sim.controls.items()))
    shown.set(name, control, control.max)
    error = shown.root.locator("[data-part=error]")
    error.wait_for(state="visible")
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the message is what the page must show
        sim(**{name: control.max})
    assert str(caught.value).splitlines()[-1] in error.inner_text()
    assert shown.readouts() == good
    assert page.locator("figure[data-panel] :is(svg, canvas):visible").count() > 0
    shown.set(name, control, sim.defaults[name])
    error.wait_for(state="hidden")
    assert shown.readouts() == good


def test_edited_python_runs_and_resets(open_sim, page):
    shown = open_sim("raises-above", run=True)
    before = shown.readouts()
    shown.root.locator("[data-action=code]").click()
    editor = page.locator(".cm-content")
    editor.wait_for()
    text = page.evaluate("() => fetch('files/sim.py').then(r => r.text())")
    assert "@microsim" in text
    editor.click()
    page.keyboard.press("Control+A")
    changed = text.replace("alt=", "alt='Changed by the reader. ' + ", 1)
    page.evaluate("t => navigator.clipboard?.writeText(t).catch(() => {})", changed)
    page.keyboard.insert_text(changed)
    page.locator("[data-action=run-code]").click()
    page.get_by_role("status").filter(has_text="Changed by the reader.").wait_for()
    assert shown.readouts() == before
    page.locator("[data-action=reset-code]").click()
    page.get_by_role("status").filter(has_not_text="Changed by the reader.").wait_for()
