"""Runs in the browser's Python: pytest over the engine's own tests.

run_pytest.py VERSION [pytest's arguments]    VERSION is Hypothesis'. Mounted are /tools (pytest and what
it needs), /inside (this folder), /published (Pyodide as it is published) and /repo. Prints pytest's own
lines, then one of JSON: {"tests": {name: [outcome, reason, seconds]}, "broken": {file: trace}}.
"""

import json
import os
import sys

sys.dont_write_bytecode = True  # the mounted folders are this machine's own
sys.path[:0] = ["/tools", "/inside"]
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # without metadata there is nothing to find
os.chdir("/repo")

# What follows is found through the lines above.
import elsewhere  # noqa: E402
import hypothesis_native  # noqa: E402
import standing_in  # noqa: E402

standing_in.install("/published/python_stdlib.zip")
hypothesis_native.install(sys.argv[1])

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402


class Report:
    """Notes how each test ended, and tells the stand-ins when one runs."""

    def __init__(self):
        self.tests, self.broken = {}, {}

    def pytest_collection_modifyitems(self, items):
        for item in items:
            name = f"{item.path.name}::{item.originalname}"
            if name in elsewhere.ELSEWHERE:
                reason = standing_in.reason(elsewhere.ELSEWHERE[name])
                item.add_marker(pytest.mark.skip(reason=reason), append=False)
            own = getattr(item.obj, "_hypothesis_internal_use_settings", None)
            if own and own.max_examples > settings.default.max_examples:  # a test's own wish is the desk's
                fewer = settings(own, max_examples=settings.default.max_examples)
                item.obj._hypothesis_internal_use_settings = fewer

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        standing_in.running = True
        try:
            return (yield)
        finally:
            standing_in.running = False

    def pytest_runtest_logreport(self, report):
        outcome, reason, seconds = self.tests.get(report.nodeid, ["passed", "", 0.0])
        if report.outcome != "passed":
            outcome = report.outcome
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        self.tests[report.nodeid] = [outcome, reason.removeprefix("Skipped: "), seconds + report.duration]

    def pytest_collectreport(self, report):
        if report.outcome != "passed":
            self.broken[report.nodeid] = str(report.longrepr)


report = Report()
pytest.main(sys.argv[2:], plugins=[report])
print(json.dumps({"tests": report.tests, "broken": report.broken}))
