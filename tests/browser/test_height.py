"""The height that the build gives an embed, against the height that Chromium gives the page."""

import json
import re

import pytest

from build_scripts.render.height import page_height


@pytest.mark.parametrize("width", [320, 390, 600, 720, 1100])
@pytest.mark.parametrize(
    "slug", ["nt-xent-explorer", "embedding-training", "all-controls", "process-walk", "raises-above"]
)
def test_an_embed_is_about_as_high_as_its_page(slug, width, book, page, arrive):
    page.set_viewport_size({"width": width, "height": 800})
    arrive(page, f"{book.url}sims/{slug}/main.html")
    page.locator("main.sim fieldset:not([disabled])").first.wait_for(state="attached")
    html = page.request.get(f"{book.url}sims/{slug}/main.html").text()
    spec = json.loads(re.search(r'id="spec">(.*?)</script>', html, re.DOTALL)[1])
    formula = html.partition('<span class="katex-display">')[2].partition("</div>")[0]
    measured = page.locator("main.sim").bounding_box()["height"]
    assert page_height(spec, width, formula) == pytest.approx(measured, abs=24)
