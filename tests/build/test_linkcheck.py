"""The checker of the built site finds what would break, and nothing else."""

import pytest

from build_scripts.linkcheck import check_site, main


@pytest.fixture
def site(tmp_path):
    def make(body, *, where="a/b/index.html", **files):
        for name, text in {"index.html": "<p id=top>", where: body, **files}.items():
            path = tmp_path / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


@pytest.mark.parametrize(
    "body",
    [
        '<a href="../../">home</a>',
        '<a href="../../index.html#top">home</a>',
        '<a id="x" href="#x">here</a>',
        '<a href="?tau=1">state</a>',
        '<a href="https://example.org/x">out</a>',
        '<a href="mailto:x@example.org">mail</a>',
        '<img src="data:image/png;base64,AA">',
        '<link rel="canonical" href="https://example.org/a/b/">',
    ],
)
def test_a_good_address(site, body):
    assert check_site(site(body)) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('<a href="../nothing/">x</a>', "leads nowhere"),
        ('<a href="../../#nothing">x</a>', "names #nothing"),
        ('<a href="#nothing">x</a>', "names #nothing"),
        ('<a href="/index.html">x</a>', "server's root"),
        ('<a href="../../../x">x</a>', "out of the site"),
        ('<img src="x.png">', "leads nowhere"),
        ('<img srcset="x.png 2x">', "leads nowhere"),
        ('<iframe src="main.html?tau=1"></iframe>', "leads nowhere"),
        ('<script src="https://cdn.example/x.js"></script>', "another host"),
        ('<script src="//cdn.example/x.js"></script>', "another host"),
        ('<link rel="stylesheet" href="https://cdn.example/x.css">', "another host"),
        ("<style>a{background:url(https://cdn.example/x.png)}</style>", "another host"),
        ('<p style="background:url(x.png)">', "leads nowhere"),
        ('<base href="./">', "<base>"),
    ],
)
def test_a_bad_address(site, body, message):
    [fault] = check_site(site(f"<!doctype html>\n{body}"))
    assert message in fault.message
    assert fault.file == "a/b/index.html"


def test_style_sheets_are_read(site):
    folder = site("<p>", **{"x.css": "@import 'https://cdn.example/x.css'; a{b:url(y.woff2)}"})
    assert [f.message.split()[-1] for f in check_site(folder)] == ["host", "y.woff2"]


def test_404_is_shown_anywhere_so_its_links_start_at_the_root(site):
    folder = site('<a href="/index.html">x</a> <a href="/nothing">y</a>', where="404.html")
    [fault] = check_site(folder)
    assert "/nothing" in fault.message


def test_404_knows_where_the_site_will_stand(site):
    home = '<link rel="canonical" href="https://example.org/some/book/">'
    body = '<a href="/some/book/index.html">x</a> <a href="/some/book/">y</a> <a href="/index.html">z</a>'
    [fault] = check_site(site(body, where="404.html", **{"index.html": home}))
    assert fault.message.startswith("/index.html")


def test_the_command(site, capsys, tmp_path):
    assert main([str(site("<p>"))]) == 0
    assert "2 pages, 0 fault(s)" in capsys.readouterr().out
    assert main([str(tmp_path / "a")]) == 2
    assert "make site" in capsys.readouterr().err
