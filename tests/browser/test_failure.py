"""When the runtime cannot be had, the painted sim stays and the reader is told; Retry works."""

import json

import pytest

from build_scripts.static_server import blocked, damaged, missing

SLUG = "nt-xent-explorer"


def runtime_files(site):
    return json.loads((site / "runtime" / "runtime.json").read_text())


def largest(site, part):
    found = [f for f in runtime_files(site)["files"] if part in f["path"]]
    return "runtime/" + max(found, key=lambda f: f["bytes"])["path"]


CASES = {
    "runtime.json blocked": lambda site: {"runtime/runtime.json": blocked},
    "all of the runtime missing": lambda site: {
        f"runtime/{f['path']}": missing for f in runtime_files(site)["files"]
    },
    "the lock file missing": lambda site: {"runtime/" + runtime_files(site)["lock"]: missing},
    "NumPy damaged": lambda site: {largest(site, "numpy"): damaged},
    "the wasm damaged": lambda site: {largest(site, "asm.wasm"): damaged},
    "the standard library damaged": lambda site: {"runtime/" + runtime_files(site)["stdlib"]: damaged},
    "the sim's own file damaged": lambda site: {f"{SLUG}/files/sim.py": damaged},
    "its recorded data damaged": lambda site: {f"{SLUG}/files/data/negatives_3.npy": damaged},
}


@pytest.mark.parametrize("case", CASES)
def test_painted_stays_says_why_and_retry_works(case, site, book, open_sim, page):
    faults = CASES[case](site)
    shown = open_sim(SLUG)
    painted = shown.readouts()
    sentence = shown.root.get_by_role("status").inner_text()
    book.faults.update(faults)
    page.goto(page.url + "?run=1")
    shown.wait_state("failed")
    assert shown.readouts() == painted
    assert shown.root.get_by_role("status").inner_text() == sentence
    assert shown.root.locator("figure[data-panel] :is(svg, canvas):visible").count() >= 4
    said = shown.root.locator("[data-part=error]").inner_text()
    assert len(said) > 20
    if "damaged" in case:
        named = next(iter(faults)).rsplit("/", 1)[-1]
        assert named in said
        assert "damaged" in said.lower()
    for ending in faults:
        del book.faults[ending]
    shown.root.locator("[data-action=retry]").click()
    shown.wait_state("live")
    assert shown.root.locator("[data-part=error]").is_hidden()


def test_baked_states_answer_while_python_cannot(site, book, open_sim, page, python_sim):
    book.faults["runtime/runtime.json"] = blocked
    shown = open_sim("embedding-training")
    sim = python_sim("embedding-training")
    epoch = shown.root.locator("input[type=range][name=epoch]")
    for value in (0, 20, 50):
        epoch.fill(str(value))
        shown.wait_drawn(f"epoch={value}") if value != sim.defaults["epoch"] else page.wait_for_timeout(300)
        wanted = {n: r.value for n, r in sim(epoch=value).readouts.items()}
        assert shown.readouts() == pytest.approx(wanted, rel=1e-9)


def test_a_load_that_stalls_is_given_up(book, open_sim, page):
    from build_scripts.static_server import slow

    book.faults["runtime/runtime.json"] = slow(8)
    page.add_init_script("window.LWL_STALL_MS = 1500")
    shown = open_sim(SLUG, "run=1")
    shown.wait_state("failed", timeout=20_000)
    assert "Retry" in shown.root.inner_text()


def test_a_damaged_file_of_many_arrays_is_named(book, open_sim, page):
    book.faults["embedding-training/files/data/small_float64.npy"] = damaged
    shown = open_sim("embedding-training", "run=1")
    shown.wait_state("failed")
    said = shown.root.locator("[data-part=error]").inner_text()
    assert "small_float64.npy" in said
    assert "damaged" in said.lower()
    book.faults.clear()
    shown.root.locator("[data-action=retry]").click()
    shown.wait_state("live")


def test_an_array_out_of_its_place_is_refused_in_the_page(open_sim, page):
    """The manifest's places are checked by the engine, in the page as under CPython."""
    shown = open_sim("embedding-training", run=True)
    shown.root.locator("[data-action=code]").click()
    editor = page.locator(".cm-content")
    editor.wait_for()
    text = page.evaluate("() => fetch('files/sim.py').then(r => r.text())")
    load = "RUN = data.load(__file__)\n"
    assert load in text
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text.replace(load, load + 'RUN.manifest["arrays"]["loss_2"]["start"] += 51\n'))
    page.locator("[data-action=run-code]").click()
    error = shown.root.locator("[data-part=error]")
    error.wait_for(state="visible")
    assert (
        "small_float64.npy holds its arrays end to end, so loss_2 must start at element" in error.inner_text()
    )


def test_the_worker_itself_missing_is_named_and_retry_works(book, open_sim):
    book.faults["_player/worker.js"] = missing
    shown = open_sim(SLUG, "run=1")
    shown.wait_state("failed")
    assert "worker.js" in shown.root.locator("[data-part=error]").inner_text()
    book.faults.clear()
    shown.root.locator("[data-action=retry]").click()
    shown.wait_state("live")


def test_a_link_that_asks_for_python_does_not_wait_for_the_player(book, open_sim, page):
    from build_scripts.static_server import slow

    workers = []
    page.on("worker", lambda worker: workers.append(worker.url))
    book.faults["_player/player.js"] = slow(3)
    shown = open_sim(SLUG, run=True)
    asked = [answer.path.rsplit("/", 1)[-1] for answer in book.log]
    # The log holds answers in the order in which they were given.
    assert asked.index("pyodide.asm.wasm") < asked.index("player.js")
    assert [url.rsplit("/", 1)[-1] for url in workers] == ["worker.js"]
    assert shown.readouts()


def test_without_being_asked_python_is_not_fetched(book, open_sim, page):
    open_sim(SLUG)
    page.wait_for_timeout(1000)
    assert not [answer.path for answer in book.log if "runtime/" in answer.path or "worker" in answer.path]
