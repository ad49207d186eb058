"""The examples of the docstrings, which the book's reference prints, give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import sim_engine

MODULES = ["sim_engine", *(m.name for m in pkgutil.walk_packages(sim_engine.__path__, "sim_engine."))]


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        yield from finder.find(importlib.import_module(name), name)


EXAMPLES = {found.name: found for found in examples() if found.examples}


def test_there_are_examples():
    assert len(EXAMPLES) > 100


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_gives_what_it_says(name):
    said = []
    doctest.DocTestRunner(verbose=False).run(EXAMPLES[name], out=said.append)
    assert said == [], "".join(said)
