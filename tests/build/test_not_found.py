"""The page for addresses that lead nowhere. A host shows it at any depth, so its links must be whole."""

import re
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MkDocs's plugins


@pytest.mark.parametrize("base", ["/", "/repo-name/"])
def test_its_links_hold_at_any_depth_below_the_sites_address(base, small_site, monkeypatch):
    monkeypatch.setenv("LWL_SIMS", "0")
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    monkeypatch.setenv("SITE_URL", f"https://someone.example{base}")
    config = load_config(str(small_site / "mkdocs.yml"))
    config.plugins.on_startup(command="build", dirty=False)
    build(config)
    site = Path(config.site_dir)
    addresses = re.findall(r'\b(?:href|src)="([^"#]+)"', (site / "404.html").read_text())
    own = [a for a in addresses if not a.startswith(("https://", "data:"))]
    assert len(own) > 8
    for address in own:
        assert address.startswith(base), address
        target = site / address.removeprefix(base)
        if "/assets/katex" not in address and not re.search(r"assets/(tokens|fonts)\.css", address):
            assert target.exists(), address  # the sims' parts are not built here
    # The other pages stay relative: they work wherever the folder is put.
    chapter = (site / "chapters" / "one" / "index.html").read_text()
    assert not re.search(r'\b(?:href|src)="/', chapter)


def test_the_workflow_tells_the_build_where_the_site_will_stand():
    workflow = (ROOT / ".github" / "workflows" / "pages.yml").read_text()
    assert re.search(r"SITE_URL: \$\{\{ steps\.pages\.outputs\.base_url \}\}/", workflow)
    assert "make site linkcheck" in workflow
    assert "!ENV [SITE_URL" in (ROOT / "mkdocs.yml").read_text()
