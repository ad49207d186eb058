"""The author's syntax: what each piece becomes, where it is left alone, and what a fault says."""

import re

import pytest
from markdown import Markdown

from build_scripts.markdown import AuthoringExtension, Book, Source
from build_scripts.markdown.citations import bibliography, page_list
from build_scripts.markdown.paths import relative
from build_scripts.markdown.scan import scan

EXTENSIONS = [
    "tables",
    "md_in_html",
    "attr_list",
    "pymdownx.superfences",
    "pymdownx.arithmatex",
    "admonition",
]
SETTINGS = {"pymdownx.arithmatex": {"generic": True}}


@pytest.fixture
def book(small_book):
    return Book(small_book)


@pytest.fixture
def render(book):
    """Render Markdown as the page chapters/one/; faults land in `book.problems`."""

    def go(text, *, front="", sim=None):
        book.page = Source("docs/chapters/one/index.md", front + text, "chapters/one/", sim)
        extensions = [*EXTENSIONS, AuthoringExtension(book)]
        return Markdown(extensions=extensions, extension_configs=SETTINGS).convert(text)

    return go


def fault(book):
    assert len(book.problems) == 1, [str(p) for p in book.problems]
    return book.problems[0]


def test_embed_is_a_frame_with_a_relative_address_and_a_title(render, book):
    html = render("{sim:two-dials tau=0.1 hide=readouts}\n\n{sim:two-dials}")
    frames = re.findall(r"<iframe[^>]*>", html)
    assert len(frames) == 2
    assert 'src="../../sims/two-dials/main.html?tau=0.1&amp;hide=readouts"' in frames[0]
    assert 'title="Two dials"' in frames[0]
    assert 'width="100%"' in frames[0]
    assert 'loading="eager"' in frames[0]
    assert 'loading="lazy"' in frames[1]
    assert 'href="../../sims/two-dials/main.html?tau=0.1' in html  # to the whole screen
    assert "<p><figure" not in html
    assert not book.problems


def test_embed_takes_its_measured_height(render, book):
    book.measure = lambda slug, width, hidden: width + 12 - 100 * ("readouts" in hidden)
    html = render("{sim:two-dials}\n\n{sim:two-dials hide=readouts,tau}")
    assert 'height="812"' in html
    assert "--high: 812px; --high-middle: 632px; --high-narrow: 362px" in html
    assert 'height="712"' in html


def test_a_control_without_a_slug_is_the_last_sim_above(render, book):
    html = render("{sim:two-dials}\n\nDrag {control:tau}.\n\n{sim:other}\n\nDrag {control:tau}.")
    assert re.findall(r'data-sim="([a-z-]+)" data-control="tau"', html) == ["two-dials", "other"]
    assert "Temperature" in html
    assert "(0.02 to 1)" in html
    assert not book.problems


def test_a_control_of_the_pages_own_sim(render, book):
    assert "Temperature" in render("{control:tau}", sim="two-dials")
    assert not book.problems


@pytest.mark.parametrize(
    "place",
    [
        "- a {control:tau}",
        "| a | b |\n|---|---|\n| {control:tau} | {value: 2 + 2 | .1f} |",
        "> {control:tau}",
    ],
)
def test_lists_tables_and_quotations_are_read(render, book, place):
    html = render("{sim:two-dials}\n\n" + place)
    assert "control-ref" in html
    assert "{" not in html
    assert not book.problems


@pytest.mark.parametrize(
    "text",
    [
        "`{control:nothing}`",
        "```\n{sim:nothing}\n```",
        "~~~text\n{value: nothing}\n[@nothing2020]\n~~~",
        "    {value: nothing}",
        "<!-- {value: nothing} -->",
        r"\{value: nothing}",
        "- item\n\n    ```\n    {sim:nothing}\n    ```",
        r"$\frac{a}{b}$ and {: .class }",
    ],
)
def test_code_comments_and_escapes_are_left_alone(render, book, text):
    render(text)
    assert not book.problems


def test_indented_text_of_a_list_or_an_admonition_is_no_code():
    text = "- item\n\n    {value: 1}\n\n!!! note\n\n    {value: 2}\n\nText.\n\n    {value: 3}\n"
    assert [t.inside for t in scan(text)] == ["1", "2"]


def test_state_link_is_a_link_that_works_without_scripts(render, book):
    html = render("{sim:two-dials}\n\nNow [set *it*](state:tau=0.05&mode=b).")
    link = re.search(r"<a [^>]*state-link[^>]*>", html)[0]
    assert 'data-sim="two-dials"' in link
    assert 'data-query="tau=0.05&amp;mode=b"' in link
    assert 'href="../../sims/two-dials/main.html?tau=0.05&amp;mode=b"' in link
    assert "set <em>it</em></a>" in html
    assert not book.problems


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("{sim:two-dial}", "there is no sim 'two-dial'", "Did you mean 'two-dials'?"),
        ("{sim}", "{sim} is written", "Write"),
        ("{sims:two-dials}", "there is no {sims: …}", "Did you mean 'sim'?"),
        ("{sim:two-dials tua=1}", "has no control 'tua'", "Did you mean 'tau'?"),
        ("{sim:two-dials hide=nope}", "has no such part", "There is: tau"),
        ("{control:two-dials.tua}", "has no control 'tua'", "Did you mean 'tau'?"),
        ("{control:tau}", "no sim is named", "Name it"),
        ("[x](state:two-dials?tau=9)", "tau must lie in [0.02, 1.0], got 9", "It takes 0.02 to 1."),
        ("[x](state:two-dials?tau=warm)", "is not a number", "It takes 0.02 to 1."),
        ("[x](state:two-dials?tau=1e999)", "finite", "It takes"),
        ("[x](state:two-dials?mode=c)", "must be one of a, b", "first or second"),
        ("[x](state:two-dials?on=maybe)", "neither on nor off", "1 or 0"),
        ("[x](state:two-dials?count=2.5)", "whole number", "1 to 9"),
        ("[x](state:two-dials?frame=3)", "has no frames", "Leave"),
        ("[x](state:two-dials?theme=blue)", "not a theme", "light, dark or auto"),
        ("[@chen2021simple]", "no entry 'chen2021simple'", "Did you mean 'chen2020simple'?"),
        ("$\\notacommand{x}$", "notacommand", "Mend the formula"),
    ],
)
def test_a_fault_has_file_line_and_remedy(render, book, text, message, remedy):
    # Four lines of front matter, three of text, then the fault.
    html = render("# T\n\nText.\n" + text, front="---\ntitle: T\nx: 1\n---\n")
    found = fault(book)
    assert (found.file, found.line) == ("docs/chapters/one/index.md", 8)
    assert message in found.message
    assert remedy in found.remedy
    assert "authoring-error" in html


def test_equal_faults_keep_their_lines(render, book):
    render("{control:a.b}\n\ntext\n\n{control:a.b}")
    assert [p.line for p in book.problems] == [1, 5]


def test_a_hostile_state_cannot_leave_its_attribute(render, book):
    html = render('[x](state:two-dials?mode="><script>alert(1)</script>)')
    assert "<script>" not in html
    assert book.problems


def test_citations_link_to_the_pages_list(render, book):
    html = render("As in [@chen2020simple, eq. 1] and [@grill2020bootstrap; @chen2020simple].")
    assert '(<a href="#ref-chen2020simple">Chen et al. 2020</a>, eq. 1)' in html
    assert "Grill &amp; Strub 2020" in html
    listed = page_list(book, heading=True)
    assert re.findall(r'<li id="ref-([a-z0-9]+)"', listed) == ["chen2020simple", "grill2020bootstrap"]
    assert "<cite>A Simple Framework</cite>" in listed
    assert "J.-B. Grill" in listed or "J. Grill" in listed


def test_bibliography_says_where_a_source_is_cited(render, book):
    book.cited_in = {"chen2020simple": [("chapters/one/", "One")]}
    book.page = Source("docs/references.md", "", "references/")
    html = bibliography(book)
    assert 'href="../chapters/one/#ref-chen2020simple">One</a>' in html
    assert html.count("<li") == 2


def test_accents_of_bibtex_become_letters(book):
    assert "Altché" in book.bibliography.html("grill2020bootstrap")


@pytest.mark.parametrize("page", ["", "a/", "a/b/", "a/b.html"])
@pytest.mark.parametrize("target", ["sims/x/main.html", "sims/", "index.html", "a/b/c/"])
def test_relative_addresses_lead_back(page, target):
    from urllib.parse import urljoin

    assert urljoin(f"http://h/base/{page}", relative(target, page)) == f"http://h/base/{target}"


def test_formula_is_set_at_build_and_keeps_its_full_stop(render, book):
    html = render("The bound $\\log 2$. Then\n\n$$\nx = {value: 2*256 - 1}\n$$\n")
    assert html.count('class="katex"') == 2
    assert "511" in html
    assert "</span><!--formula-->\u2060." in html
    assert "<script" not in html


# ---- predict, then run ----

NUMBER = """:::predict
question: What is **it** at {control:two-dials.tau}?
answer: 2 * 3.5
unit: nats
tolerance: 10%
check: two-dials?tau=0.1
right: Yes
wrong: No, see $x$.
:::
"""


def test_prediction_carries_its_computed_answer(render, book):
    import json
    from html import unescape

    html = render(NUMBER)
    expected = json.loads(unescape(re.search(r'data-expected="([^"]*)"', html)[1]))
    assert expected == {"kind": "number", "value": 7.0, "tolerance": pytest.approx(0.7), "shown": "7 nats"}
    assert "<strong>it</strong>" in html
    assert "control-ref" in html
    assert 'href="../../sims/two-dials/main.html?tau=0.1"' in html
    assert "<p>Yes</p>" in html  # a word, not YAML's truth value
    assert "katex" in html
    assert not book.problems


def test_prediction_with_choices_asks_the_sim(render, book):
    html = render(
        ":::predict\nquestion: q\nchoices: [it rises, it falls]\nanswer: >-\n"
        '  "it rises" if sim("two-dials", tau=0.1).product > sim("two-dials").product\n'
        '  else "it falls"\n:::\n'
    )
    assert "&quot;value&quot;: &quot;it falls&quot;" in html
    assert html.count('type="radio"') == 2
    assert not book.problems


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("question: q", 1, "needs `answer:`"),
        ("question: q\nanswer: 1\nhint: x", 4, "no key 'hint'"),
        ("question: q\nanswer: nothing", 3, "no name 'nothing'"),
        ("question: q\nanswer: 0", 1, "leaves no room"),
        ("question: q\nanswer: 1\ntolerance: wide", 4, "neither a number nor a share"),
        ("question: q\nanswer: '\"c\"'\nchoices: [a, b]", 4, "none of the choices"),
        ("question: q\nanswer: 1\ncheck: two-dials?tau=7", 4, "tau must lie in"),
        ("question: [", 3, "not YAML"),
    ],
)
def test_a_faulty_prediction_is_placed(render, book, body, line, message):
    render(f":::predict\n{body}\n:::\n")
    found = fault(book)
    assert message in found.message
    assert found.line == line
