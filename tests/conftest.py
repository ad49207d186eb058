"""What tests of more than one folder look at, which files begin first, and whose lines are counted."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SITE = HERE.parent / "site"
# These take a minute and more: a core that came to one last would work on alone while the other waits.
FIRST = [
    "engine_in_pyodide/test_suite_in_pyodide.py",
    "browser/test_pages.py",
    "precompute/test_job.py",
    "build/test_package_engine.py",
    "precompute/test_command.py",
    "build/test_runtime.py",
    "precompute/test_resume.py",
    "precompute/test_whole.py",
    "build/test_reference.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {HERE / name: place for place, name in enumerate(FIRST)}
    if gone := [str(path) for path in places if not path.is_file()]:
        raise pytest.UsageError(f"tests/conftest.py: FIRST names {', '.join(gone)}, which are not there")
    for item in items:
        # The engine's own tests must meet its lines; counting them in all others takes minutes.
        if not item.path.is_relative_to(HERE / "engine"):
            item.add_marker(pytest.mark.no_cover)
    items.sort(key=lambda item: places.get(item.path, len(FIRST)))


@pytest.fixture(scope="session")
def site() -> Path:
    """The book as readers get it."""
    if not (SITE / "index.html").is_file():
        pytest.fail("site/ is not built; `make test` builds it, `make site` alone does too", pytrace=False)
    return SITE
