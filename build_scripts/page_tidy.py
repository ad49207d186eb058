"""Takes out of pages what other plugins put in inline: the same files for all pages, none from elsewhere."""

from __future__ import annotations

import re
from html import escape

from bs4 import BeautifulSoup, Tag

from build_scripts.markdown.book import Book
from build_scripts.markdown.formulas import set_formula, wrapped
from build_scripts.markdown.paths import relative

__all__ = ["tidy_notebook", "tidy_quiz"]

_QUIZ_SETTINGS = re.compile(r'<script type="text/javascript">\s*window\.mkdocsQuiz\w+ = .*?</script>', re.S)
_QUIZ_PROGRESS = re.compile(r'<div id="quiz-progress-sidebar".*?</nav>', re.S)
_NOTEBOOK_MATHS = re.compile(
    r"\$\$(?P<display>.+?)\$\$|(?<![\\$\w])\$(?P<inline>[^\s$](?:[^$\n]*[^\s$])?)\$(?!\d)", re.S
)
_CLUTTER = (
    ".zeroclipboard-container, .clipboard-copy-txt, .celltoolbar, .jp-Collapser, .anchor-link, "
    ".jp-InputPrompt, .jp-OutputPrompt"
)


def tidy_quiz(html: str, page_url: str) -> str:
    """Take mkdocs-quiz's inline style and script out; a page with a quiz links the script instead.

    Raises:
        ValueError: mkdocs-quiz no longer writes what this expects.
    """
    from mkdocs_quiz.plugin import js_script, style

    if style not in html and js_script not in html:
        return html  # the page opted out, or another plugin made it
    if style not in html or js_script not in html:
        raise ValueError(
            "mkdocs-quiz writes its style or script in a new way; see build_scripts/page_tidy.py"
        )
    html = html.replace(style, "").replace(js_script, "")
    settings = "".join(_QUIZ_SETTINGS.findall(html))
    html = _QUIZ_PROGRESS.sub("", _QUIZ_SETTINGS.sub("", html))
    if 'class="quiz' not in html:
        return html.rstrip()
    return f'{html.rstrip()}{settings}<script src="{relative("assets/quiz.js", page_url)}" defer></script>'


def tidy_notebook(book: Book, html: str, file_name: str) -> str:
    """Keep of a converted notebook its cells alone, in the book's look, with formulas set at build.

    Args:
        file_name: the notebook's own name, for the link that downloads it.
    """
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.find_all(["style", "script", "link"]):
        tag.decompose()
    for tag in soup.select(_CLUTTER):
        tag.decompose()
    for tag in soup.select("[tabindex]"):
        del tag["tabindex"]
    for pre in soup.select(".highlight-ipynb > pre"):
        # The form that the book's other code has, so that it is coloured and copied the same way.
        _parent(pre)["class"] = "highlight"
        code = soup.new_tag("code")
        code.extend(list(pre.contents))
        pre.append(code)
    for output in soup.select(".jp-OutputArea-output > pre"):
        # A long line scrolls; the keyboard must reach it.
        output["tabindex"] = "0"
    for cell in soup.select(".jp-RenderedMarkdown"):
        _set_maths(book, cell)
    link = f'<p class="notebook-file"><a href="{escape(file_name)}" download>Download this notebook</a></p>'
    return f"{soup}{link}"


def _parent(tag: Tag) -> Tag:
    found = tag.parent
    if found is None:
        raise ValueError(f"<{tag.name}> stands alone; nbconvert writes code in a new way")
    return found


def _set_maths(book: Book, cell: Tag) -> None:
    for text in list(cell.find_all(string=True)):
        if text.find_parent(["code", "pre"]) or "$" not in text:
            continue

        pieces, at = [], 0
        for found in _NOTEBOOK_MATHS.finditer(text):
            latex, display = (found["display"] or found["inline"]).strip(), found["display"] is not None
            pieces += [escape(text[at : found.start()]), _formula(book, latex, display)]
            at = found.end()
        pieces.append(escape(text[at:]))
        text.replace_with(BeautifulSoup("".join(pieces), "html.parser"))


def _formula(book: Book, latex: str, display: bool) -> str:
    return wrapped("div" if display else "span", book.attempt(1, lambda: set_formula(latex, display)))
