"""What tests of more than one folder look at."""

from pathlib import Path

import pytest

SITE = Path(__file__).resolve().parents[1] / "site"


@pytest.fixture(scope="session")
def site() -> Path:
    """The book as readers get it."""
    if not (SITE / "index.html").is_file():
        pytest.fail("site/ is not built; `make test` builds it, `make site` alone does too", pytrace=False)
    return SITE
