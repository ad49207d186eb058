"""`make check`: each kind of fault in a small book is found, with its line and a remedy."""

import json

import pytest

from build_scripts.check import check_pages, check_sims
from build_scripts.data_check import check_data
from build_scripts.host_check import check_hosts
from build_scripts.markdown import Source
from build_scripts.markdown.page_contract import KEYS, SECTIONS, check_sim_page
from build_scripts.markdown.quiz_check import check_quizzes


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def page(book):
    return book / "sims" / "two-dials" / "index.md"


def test_a_sound_book_has_no_fault(small_site):
    assert check_sims(small_site) == []
    assert check_data(small_site) == []
    assert check_pages(small_site) == []
    assert check_hosts(small_site) == []


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(small_book, key):
    lines = page(small_book).read_text().split("\n")
    page(small_book).write_text("\n".join(line for line in lines if not line.startswith(f"{key}:")))
    [problem] = check_sim_page(page(small_book), small_book)
    assert problem.message == f"front matter lacks `{key}`"
    assert problem.file == "sims/two-dials/index.md"


@pytest.mark.parametrize("section", [*SECTIONS, "Objectives", "Activities", "Misconceptions"])
def test_a_missing_section_is_named(small_book, section):
    mark = "##" if section in SECTIONS else "###"
    edit(page(small_book), f"{mark} {section}\n", "")
    problems = check_sim_page(page(small_book), small_book)
    assert any(f"{mark} {section}`" in p.message for p in problems)


def test_a_section_in_a_code_block_does_not_count(small_book):
    edit(page(small_book), "## Assessment\n", "```\n## Assessment\n```\n")
    [problem] = check_sim_page(page(small_book), small_book)
    assert "Assessment" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("chapter: one", "chapter: two", "no chapter 'two'", 4),
        ("minutes: 5", "minutes: soon", "whole number", 8),
        ("title: Two dials", "title: [", "not YAML", 1),
    ],
)
def test_front_matter_is_checked(small_book, old, new, message, line):
    edit(page(small_book), old, new)
    [problem] = check_sim_page(page(small_book), small_book)
    assert message in problem.message
    assert problem.line == line


def test_a_page_that_is_not_there(small_book):
    page(small_book).unlink()
    [problem] = check_sim_page(page(small_book), small_book)
    assert "no page" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{control:tau}. Its", "{control:tua}. Its", "no control 'tua'"),
        ("state:tau=0.02", "state:tau=2", "must lie in"),
        ("@chen2020simple", "@chen2020simpel", "no entry"),
        (").product}", ").produkt}", "no readout"),
    ],
)
def test_a_fault_of_a_sims_page_has_its_line(small_site, old, new, message):
    edit(page(small_site), old, new)
    [problem] = check_pages(small_site)
    assert message in problem.message
    assert new in page(small_site).read_text().split("\n")[problem.line - 1]


def test_data_that_was_changed_is_found(small_book):
    path = small_book / "sims" / "two-dials" / "data" / "z.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    [problem] = check_data(small_book)
    assert "z.npy is damaged" in problem.message
    assert problem.file == "sims/two-dials/data/manifest.json"
    text = (small_book / problem.file).read_text().split("\n")
    assert '"z"' in text[problem.line - 1]
    assert "make data" in problem.remedy


def test_data_that_is_missing_stray_or_undescribed_is_found(small_book):
    folder = small_book / "sims" / "two-dials" / "data"
    (folder / "z.npy").rename(folder / "y.npy")
    messages = " ".join(p.message for p in check_data(small_book))
    assert "z.npy is missing" in messages
    assert "y.npy stands in no entry" in messages
    (folder / "manifest.json").write_text("{")
    [problem] = check_data(small_book)
    assert "not JSON" in problem.message


@pytest.mark.parametrize(
    ("change", "said"), [({"start": 1}, "z must start at element 0"), ({"shape": [3]}, "must have shape [3]")]
)
def test_an_array_that_lies_elsewhere_is_found(small_book, change, said):
    path = small_book / "sims" / "two-dials" / "data" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["arrays"]["z"] |= change
    path.write_text(json.dumps(manifest, indent=1))
    [problem] = check_data(small_book)
    assert said in problem.message
    assert problem.message.startswith("sims/two-dials/data/z.npy ")
    assert '"z"' in path.read_text().split("\n")[problem.line - 1]


def test_too_much_data_is_found(small_book):
    folder = small_book / "sims" / "two-dials" / "data"
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["filler"] = "x" * 2 * 2**20
    (folder / "manifest.json").write_text(json.dumps(manifest))
    [problem] = check_data(small_book)
    assert "more than 2" in problem.message


def test_a_sim_that_raises_at_an_end_is_found(small_book):
    path = small_book / "sims" / "two-dials" / "sim.py"
    edit(path, "    return Frame", "    if count == 9:\n        raise RuntimeError('nine')\n    return Frame")
    [problem] = check_sims(small_book)
    assert "count=9: RuntimeError: nine" in problem.message


def test_a_sim_that_cannot_be_read_is_found(small_book):
    (small_book / "sims" / "two-dials" / "sim.py").write_text("import nothing_of_this_name\n")
    [problem] = check_sims(small_book)
    assert "nothing_of_this_name" in problem.message


@pytest.mark.parametrize(
    "line",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<img alt='' src='//cdn.example/x.png'>",
        "![x](https://cdn.example/x.png)",
        '<link rel="stylesheet" href="https://cdn.example/x.css">',
        "<style>@import url(https://cdn.example/x.css)</style>",
        "<style>a{background:url('https://cdn.example/x.png')}</style>",
        '<script>fetch("https://cdn.example/x")</script>',
        "<script type=module>import x from 'https://cdn.example/x.js'</script>",
    ],
)
def test_an_address_that_is_fetched_from_elsewhere_is_found(small_book, line):
    edit(small_book / "docs" / "chapters" / "one" / "index.md", "Text", f"Text\n\n{line}\n")
    [problem] = check_hosts(small_book)
    assert (problem.file, problem.line) == ("docs/chapters/one/index.md", 5)


@pytest.mark.parametrize(
    "line",
    ["[x](https://example.org)", "`<img src='https://x.example'>`", "xmlns='http://www.w3.org/2000/svg'"],
)
def test_a_plain_link_is_not(small_book, line):
    edit(small_book / "docs" / "chapters" / "one" / "index.md", "Text", line)
    assert check_hosts(small_book) == []


@pytest.mark.parametrize(
    ("quiz", "message"),
    [
        ("<quiz>\nQ?\n- [ ] a\n- [ ] b\n</quiz>", "no answer of the quiz is right"),
        ("<quiz>\nQ?\n- [x] a\n</quiz>", "1 answers"),
        ("<quiz>\nQ?\n- [x] a\n- [y] b\n</quiz>", "[y] marks no answer"),
        ("<quiz>\n- [x] a\n- [ ] b\n</quiz>", "asks nothing"),
        ("<quiz>\nQ?\n- [x] a\n- [ ] b\n", "not closed"),
    ],
)
def test_a_faulty_quiz_is_found(quiz, message):
    [problem] = check_quizzes(Source("docs/a.md", f"# A\n\n{quiz}\n"))
    assert message in problem.message
    assert problem.line in (3, 6)


@pytest.mark.parametrize(
    "quiz", ["<quiz>\nQ [[2]]\n</quiz>", "<quiz>\nQ?\n- [x] a\n> b\n- [ ] c\n</quiz>", "`<quiz>`"]
)
def test_a_sound_quiz_is_not(quiz):
    assert check_quizzes(Source("docs/a.md", quiz)) == []
