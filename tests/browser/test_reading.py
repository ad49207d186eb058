"""What a reader does in a page of the book: state links, colours, predictions, quizzes, search."""

import re

import pytest
from playwright.sync_api import expect

CHAPTER = "chapters/03-nt-xent/"
SIM = "nt-xent-explorer"


def frame_of(page, slug):
    page.locator(f"figure.embed[data-sim='{slug}'] iframe").first.scroll_into_view_if_needed()
    return page.frame_locator(f"figure.embed[data-sim='{slug}'] iframe").first


def test_a_state_link_sets_the_sim_in_the_page(book, page):
    page.goto(book.url + CHAPTER)
    root = frame_of(page, SIM).locator("main.sim")
    expect(root).to_have_attribute("data-state", re.compile("painted|baked|live"))
    link = page.locator(f"a.state-link[data-sim='{SIM}'][data-query*='tau=']").first
    query = link.get_attribute("data-query")
    before = page.url
    link.click()
    value = re.search(r"tau=([\d.]+)", query)[1]
    expect(root).to_have_attribute("data-drawn", re.compile(rf"tau={re.escape(value)}"), timeout=60_000)
    assert page.url.split("#")[0] == before


def test_a_state_link_opens_the_sim_where_scripts_are_off(book, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(book.url + CHAPTER)
    page.locator(f"a.state-link[data-sim='{SIM}']").first.click()
    assert re.search(rf"sims/{SIM}/main\.html\?", page.url)
    context.close()


def test_the_switch_of_colours_reaches_the_sims(book, page):
    page.emulate_media(color_scheme="light")
    page.goto(book.url + CHAPTER)
    html = frame_of(page, SIM).locator("html")
    for _ in range(3):  # auto, light, dark
        page.locator(".md-header__option label:not([hidden])").click()
        scheme = page.locator("body").get_attribute("data-md-color-scheme")
        expect(html).to_have_attribute("data-theme", "dark" if scheme == "slate" else "light")


def test_an_embed_has_no_inner_scrolling(book, page):
    page.goto(book.url + CHAPTER)
    frame = page.locator(f"figure.embed[data-sim='{SIM}'] iframe").first
    frame.scroll_into_view_if_needed()
    expect(frame).to_have_attribute("style", re.compile("height"))
    inner = frame.element_handle().content_frame()
    rest = inner.evaluate("document.documentElement.scrollHeight - window.innerHeight")
    assert rest <= 1


@pytest.mark.parametrize("right", [True, False])
def test_a_prediction_is_judged_by_the_computed_answer(book, page, right):
    page.goto(book.url + f"sims/{SIM}/")
    question = page.locator(".predict:has(input[type=radio])").first
    expected = question.evaluate("e => JSON.parse(e.dataset.expected).value")
    for choice in question.locator("input[type=radio]").all():
        if (choice.get_attribute("value") == expected) == right:
            choice.check()
            break
    question.get_by_role("button", name="Check my prediction").click()
    expect(question).to_have_attribute("data-right", str(right).lower())
    expect(question.locator("details")).to_have_attribute("open", "")
    expect(question.get_by_role("status")).not_to_be_empty()


def test_a_predicted_number_has_its_tolerance(book, page):
    page.goto(book.url + f"sims/{SIM}/")
    question = page.locator(".predict:has(input[type=text])").first
    expected = question.evaluate("e => JSON.parse(e.dataset.expected)")
    for given, verdict in (
        (expected["value"] + 0.9 * expected["tolerance"], "true"),
        (expected["value"] + 1.1 * expected["tolerance"], "false"),
    ):
        question.locator("input[type=text]").fill(str(given))
        question.locator("input[type=text]").press("Enter")
        expect(question).to_have_attribute("data-right", verdict)
    question.locator("input[type=text]").fill("many")
    question.locator("input[type=text]").press("Enter")
    expect(question.get_by_role("status")).to_contain_text("Write a number")


def test_a_quiz_answers_and_remembers(book, page):
    page.goto(book.url + CHAPTER)
    quiz = page.locator(".quiz:has(input[type=radio])").first
    quiz.locator("input[data-correct]").check()
    quiz.get_by_role("button", name="Submit").click()
    expect(quiz.locator(".quiz-feedback-item.correct")).to_be_visible()
    page.reload()
    expect(quiz.locator(".quiz-feedback-item.correct")).to_be_visible()


def test_search_finds_a_sim_and_leads_there(book, page):
    page.set_viewport_size({"width": 390, "height": 780})
    page.goto(book.url)
    page.locator(".lwl-search-button").press("Enter")
    page.locator("input[name=query]").press_sequentially("temperature")
    result = page.locator(".md-search-result__link").first
    expect(result).to_be_visible(timeout=15_000)
    assert "/some/book/" in result.get_attribute("href")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_short_formula_stays_on_one_line(width, book, page):
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(book.url + CHAPTER)
    page.evaluate("() => document.fonts.ready.then(() => 0)")
    broken, short = page.evaluate(
        """() => { const out = []; let short = 0;
        for (const formula of document.querySelectorAll('span.arithmatex .katex-html')) {
          const pieces = [...formula.querySelectorAll(':scope > .katex-base')];
          if (pieces.length > 3) continue;
          short++;
          const left = pieces.map(p => p.getBoundingClientRect().left);
          if (left.some((x, i) => i && x < left[i - 1])) out.push(formula.textContent);
        }
        return [out, short]; }"""
    )
    assert short > 50
    assert broken == []


def test_the_marker_of_an_answer_stands_beside_its_word(book, page):
    page.goto(book.url + CHAPTER)
    summary = page.locator(".predict summary").first
    marker, word = summary.evaluate(
        """e => { const s = getComputedStyle(e, '::after'); const range = document.createRange();
        range.selectNodeContents(e); const box = e.getBoundingClientRect();
        return [parseFloat(s.left) + parseFloat(s.width), range.getBoundingClientRect().left - box.left] }"""
    )
    assert 0 < marker < word
