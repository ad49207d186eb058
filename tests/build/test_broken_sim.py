"""A sim whose file raises is said once, where it raises, however many pages ask for it."""

import pytest

from build_scripts.check import check_pages

CASES = {
    "an error": ("\n\nraise RuntimeError('planted')\n", "RuntimeError: planted"),
    "bad syntax": ("\n\ndef f(:\n    pass\n", "SyntaxError: invalid syntax"),
    "an error deeper down": ("\n\nimport json\njson.loads('[')\n", "JSONDecodeError: "),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_said_once_with_file_line_and_remedy(case, small_site):
    added, wanted = CASES[case]
    sim = small_site / "sims" / "two-dials" / "sim.py"
    text = sim.read_text(encoding="utf-8") + added
    sim.write_text(text, encoding="utf-8")
    problems = [p for p in check_pages(small_site) if "cannot be read" in p.message]
    [problem] = problems
    assert problem.file == "sims/two-dials/sim.py"
    marker = "raise Runtime" if case == "an error" else "def f(:" if case == "bad syntax" else "json.loads"
    assert text.split("\n")[problem.line - 1].startswith(marker)
    assert wanted in problem.message
    assert "load_microsim" in problem.remedy
