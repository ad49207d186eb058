"""The site of a small book, built by MkDocs itself: what stands in it, and what stops it."""

import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort
from mkdocs.structure.pages import Page

from build_scripts.linkcheck import check_site
from build_scripts.page_tidy import tidy_quiz
from build_scripts.site_nav import contents
from build_scripts.site_parts import requirements

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MkDocs's plugins


@pytest.fixture(autouse=True)
def without_sims(monkeypatch):
    # The sims and the runtime have tests of their own; here the pages alone are built.
    monkeypatch.setenv("LWL_SIMS", "0")
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")


def make(root, *, serving=False, **settings):
    config = load_config(str(root / "mkdocs.yml"), **settings)
    config.plugins.on_startup(command="serve" if serving else "build", dirty=False)
    build(config)
    return Path(config.site_dir)


def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def test_a_sims_page_has_its_generated_parts(small_site):
    site = make(small_site, repo_url="https://code.example/book")
    page = soup(site / "sims" / "two-dials" / "index.html")
    article = page.find("article")
    assert [h.text for h in article.find_all("h1")] == ["Two dials"]
    assert article.iframe["src"] == "main.html?hide=title"
    assert article.iframe["loading"] == "eager"
    assert article.find("a", string="Full screen")["href"].startswith("main.html")
    assert '<iframe src="https://YOUR-SITE/sims/two-dials/main.html"' in article.find("pre").text
    assert (
        article.find("a", rel="edit")["href"] == "https://code.example/book/edit/main/sims/two-dials/index.md"
    )
    assert article.find("a", string="All microsims")["href"] == "../"
    assert {"Multiply.", "One", "5 minutes"} <= {dd.text for dd in article.select(".facts dd")}
    data = {dd.text for dd in article.select(".facts--data dd")}
    assert {"none", "two numbers", "CC0", "cpu <x>", "model 0"} <= data
    # A quiz reads the book's syntax too, and its citation list closes the page's text.
    assert "Temperature" in article.find(class_="quiz").text
    assert article.find(id="ref-chen2020simple")
    assert not page.find(class_="authoring-error")


def test_navigation_gallery_and_references_find_the_sims(small_site):
    site = make(small_site)
    home = soup(site / "index.html")
    assert len(home.find_all("li", class_="card")) == 2
    assert {a["href"] for a in home.select(".lwl-parts a")} >= {"chapters/one/", "references/"}
    listed = soup(site / "references" / "index.html").find(id="ref-chen2020simple")
    assert [a["href"] for a in listed.select("a")][-2:] == [
        "../sims/other/#ref-chen2020simple",
        "../sims/two-dials/#ref-chen2020simple",
    ]


def test_pages_ask_nobody_else_and_lead_nowhere_wrong(small_site):
    site = make(small_site)
    # Without the sims their own files are not there; all other addresses must hold.
    faults = [f for f in check_site(site) if "main.html" not in f.message and "poster" not in f.message]
    assert faults == []


def test_a_page_without_a_quiz_carries_no_quiz_script(small_site):
    site = make(small_site)
    chapter = (site / "chapters" / "one" / "index.html").read_text()
    assert "quiz.js" not in chapter
    assert "mkdocsQuiz" not in chapter
    page = (site / "sims" / "two-dials" / "index.html").read_text()
    assert page.count("assets/quiz.js") == 1
    assert (site / "assets" / "quiz.js").is_file()


def test_tidying_notices_when_the_quiz_plugin_changes():
    from mkdocs_quiz.plugin import style

    with pytest.raises(ValueError, match="new way"):
        tidy_quiz(f"<p>{style}</p>", "")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "sims/two-dials/index.md",
            "Drag {control:tau}",
            "Drag {control:tua}",
            ["sims/two-dials/index.md:16: two-dials has no control 'tua'", "Did you mean 'tau'?"],
        ),
        (
            "sims/two-dials/index.md",
            "grows with {control:tau}",
            "grows with {control:tua}",  # inside a quiz
            ["sims/two-dials/index.md:39: two-dials has no control 'tua'"],
        ),
        (
            "sims/two-dials/index.md",
            "(state:tau=0.02)",
            "(state:tau=0.01)",
            ["sims/two-dials/index.md:20: two-dials: tau must lie in [0.02, 1.0]", "It takes 0.02 to 1."],
        ),
        (
            "sims/two-dials/index.md",
            "## Assessment",
            "## Test",
            ["sims/two-dials/index.md:", "the section `## Assessment` is missing", "A sim's page has"],
        ),
        (
            "sims/two-dials/index.md",
            "bloom: Apply\n",
            "",
            ["sims/two-dials/index.md:1: front matter lacks `bloom`"],
        ),
        (
            "docs/chapters/one/index.md",
            "[@grill2020bootstrap]",
            "[@grill2021bootstrap]",
            [
                "docs/chapters/one/index.md:3: docs/references.bib has no entry",
                "Did you mean 'grill2020bootstrap'?",
            ],
        ),
        (
            "sims/two-dials/index.md",
            "- [x] The product",
            "- [ ] The product",
            ["sims/two-dials/index.md:38: no answer of the quiz is right", "Write answers as"],
        ),
        (
            "docs/index.md",
            "{sim:two-dials}",
            "{value: open('x')}",
            ["docs/index.md:3: there is no name 'open' here"],
        ),
    ],
)
def test_a_fault_stops_the_build_with_file_line_and_remedy(small_site, caplog, file, old, new, said):
    path = small_site / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(Abort):
        make(small_site)
    for words in said:
        assert words in caplog.text
    assert not (small_site / "site" / "index.html").exists()


def test_damaged_data_stops_the_build(small_site, caplog):
    path = small_site / "sims" / "two-dials" / "data" / "z.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(Abort):
        make(small_site)
    assert re.search(r"data/manifest\.json:\d+: .*z\.npy is damaged", caplog.text)


def test_serve_shows_a_fault_and_goes_on(small_site, caplog):
    path = small_site / "docs" / "chapters" / "one" / "index.md"
    path.write_text("# One\n\n{control:nothing.tau}\n")
    with caplog.at_level(logging.ERROR):
        site = make(small_site, serving=True)
    assert "docs/chapters/one/index.md:3" in caplog.text
    assert (
        "docs/chapters/one/index.md:3"
        in soup(site / "chapters/one/index.html").find(class_="authoring-error").text
    )


def test_serve_goes_on_with_the_sheets_there_are_when_some_cannot_be_made(small_site, caplog):
    (small_site / "node_modules").unlink()
    (small_site / "docs" / "index.md").write_text("# Home\n\nWords.\n")
    with caplog.at_level(logging.ERROR):
        site = make(small_site, serving=True)
    assert "npm packages are missing" in caplog.text
    assert "no style sheet" not in caplog.text
    address = soup(site / "index.html").find("link", rel="stylesheet")["href"]
    assert "md-header" in (site / address).read_text()


def fresh(root, name):
    """Build in a Python of its own; return the files by name."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "-q",
            "-f",
            str(root / "mkdocs.yml"),
            "-d",
            str(root / name),
        ],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return files_of(root / name)


def files_of(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_serve_sees_edits_of_a_page_and_of_a_sim(small_site, monkeypatch):
    """Another build in one process takes unchanged pages from memory, and no stale ones."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    load_config(str(small_site / "mkdocs.yml")).plugins.on_startup(command="serve", dirty=False)
    rendered = []
    render = Page.render

    def told(page, config, files):
        rendered.append(page.file.src_uri)
        render(page, config, files)

    monkeypatch.setattr(Page, "render", told)

    def again():
        rendered.clear()
        config = load_config(str(small_site / "mkdocs.yml"))
        build(config)
        return Path(config.site_dir)

    site = again()
    page = site / "sims" / "two-dials" / "index.html"
    assert "(0.02 to 1)" in page.read_text()
    again()
    assert rendered == []
    source = small_site / "sims" / "two-dials" / "sim.py"
    source.write_text(source.read_text().replace("Slider(0.02, 1.0", "Slider(0.02, 3.0"))
    again()
    assert "(0.02 to 3)" in page.read_text()
    # Of the pages, those that speak of the sim; the gallery does.
    assert {"index.md", "sims/two-dials/index.md"} <= set(rendered)
    assert not {"chapters/one/index.md", "references.md"} & set(rendered)
    text = small_site / "sims" / "two-dials" / "index.md"
    text.write_text(text.read_text().replace("Drag", "Pull"))
    again()
    assert "Pull" in page.read_text()
    assert rendered == ["sims/two-dials/index.md"]
    assert files_of(site) == fresh(small_site, "a")
    one = small_site / "docs" / "chapters" / "one" / "index.md"
    one.write_text(one.read_text().replace("# One", "# First"))
    again()
    assert "First" in soup(page).find(class_="facts").text
    assert files_of(site) == fresh(small_site, "b")


def test_two_builds_are_equal(small_site):
    one = fresh(small_site, "a")
    shutil.rmtree(small_site / "build")
    assert fresh(small_site, "b") == one


def test_the_order_of_the_book():
    pages = [
        "develop/b.md",
        "chapters/02-b/index.md",
        "index.md",
        "chapters/01-a/index.md",
        "references.md",
        "chapters/index.md",
    ]
    assert contents(pages) == [
        {"Home": "index.md"},
        {"Chapters": ["chapters/index.md", "chapters/01-a/index.md", "chapters/02-b/index.md"]},
        {"Develop": ["develop/b.md"]},
        {"References": "references.md"},
    ]


def test_missing_tools_are_named_with_the_remedy(tmp_path, monkeypatch):
    [message] = requirements(tmp_path)
    assert "esbuild" in message
    assert "npm ci" in message
    monkeypatch.setenv("PATH", str(tmp_path))
    [message] = requirements(tmp_path)
    assert "Node is missing" in message
    assert "Install Node 20" in message
