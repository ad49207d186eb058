"""A small book with two sims, enough to read, check and build pages against."""

import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from mkdocs.config.defaults import MkDocsConfig

ROOT = Path(__file__).resolve().parents[2]

SIM = '''"""The product of two numbers."""

from typing import Annotated

from sim_engine.microsim import Choice, Frame, Slider, Toggle, microsim


@microsim
def {name}(
    tau: Annotated[float, Slider(0.02, 1.0, label="Temperature")] = 0.5,
    count: Annotated[int, Slider(1, 9, label="Count")] = 3,
    mode: Annotated[str, Choice({{"a": "first", "b": "second"}}, label="Mode")] = "a",
    on: Annotated[bool, Toggle(label="On")] = False,
) -> Frame:
    return Frame(readouts={{"product": tau * count}}, alt=f"The product is {{tau * count}}.")
'''

PAGE = """---
title: Two dials
description: Two numbers and their product.
chapter: one
objective: Multiply.
bloom: Apply
grade: School
minutes: 5
prerequisites: [numbers]
keywords: [product]
licence: CC BY 4.0
---

## About

Drag {control:tau}. Its product is {value: sim("two-dials").product}.

## How to use

[Low](state:tau=0.02).

## Lesson plan

### Objectives

- One.

### Activities

- Two.

### Misconceptions

- Three.

## Assessment

<quiz>
Which of them grows with {control:tau}?
- [x] The product
> Yes.
- [ ] Nothing
</quiz>

## References

See [@chen2020simple].
"""

BIB = r"""@inproceedings{chen2020simple,
  author = {Chen, Ting and Kornblith, Simon and Norouzi, Mohammad and Hinton, Geoffrey},
  title = {A Simple Framework},
  booktitle = {ICML},
  year = {2020},
  eprint = {2002.05709},
}

@article{grill2020bootstrap,
  author = {Grill, Jean-Bastien and Strub, Florian},
  title = {Bootstrap: Altch{\'e}'s part},
  journal = {NeurIPS},
  volume = {33},
  year = {2020},
}
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def small_book(tmp_path: Path) -> Path:
    """A project's folder: docs, two sims (`two-dials` with a page and data, `other`), a bibliography."""
    root = tmp_path / "book"
    for slug in ("two-dials", "other"):
        write(root / "sims" / slug / "sim.py", SIM.format(name=slug.replace("-", "_")))
        write(
            root / "sims" / slug / "index.md", PAGE.replace("Two dials", slug.replace("-", " ").capitalize())
        )
    write(root / "docs" / "references.bib", BIB)
    write(root / "docs" / "index.md", "# Home\n\n{sim:two-dials}\n\n{gallery}\n")
    write(root / "docs" / "sims" / "index.md", "# Microsims\n\n{gallery}\n")
    write(root / "docs" / "chapters" / "one" / "index.md", "# One\n\nText [@grill2020bootstrap].\n")
    write(root / "docs" / "references.md", "# References\n\n{bibliography}\n")
    data = root / "sims" / "two-dials" / "data"
    data.mkdir()
    np.save(data / "z.npy", np.array([1.0, 2.0]))
    entry = {
        "file": "z.npy",
        "sha256": hashlib.sha256((data / "z.npy").read_bytes()).hexdigest(),
        "shape": [2],
        "dtype": "float64",
    }
    manifest = {
        "contract": 1,
        "recipe": "none",
        "recipe_sha256": "0",
        "config": {},
        "dataset": {"name": "two numbers", "licence": "CC0"},
        "seeds": {"model": 0},
        "versions": {"numpy": np.__version__},
        "device": "cpu <x>",
        "metrics": {"top1": 0.25},
        "arrays": {"z": entry},
    }
    write(data / "manifest.json", json.dumps(manifest, indent=1))
    return root


@pytest.fixture
def small_site(small_book: Path) -> Path:
    """`small_book` with what `mkdocs build` needs besides: settings, theme and npm packages."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    write(small_book / "mkdocs.yml", settings)
    shutil.copytree(ROOT / "overrides", small_book / "overrides")
    shutil.copytree(ROOT / "docs" / "assets", small_book / "docs" / "assets")
    templates = Path("build_scripts", "reference", "templates")
    shutil.copytree(ROOT / templates, small_book / templates)
    (small_book / "node_modules").symlink_to(ROOT / "node_modules")
    return small_book


@pytest.fixture(autouse=True)
def nothing_kept_from_a_build():
    """Give every test a plugin of its own, and the modules of before to the tests that follow.

    MkDocs keeps a plugin that has `on_startup` for the whole process, and ours, where the engine's files
    differ from those it saw last, imports the engine and the build anew.
    """
    kept = dict(MkDocsConfig._schema)["plugins"].plugin_cache

    def ours():
        return {n: m for n, m in sys.modules.items() if re.match(r"(sim_engine|build_scripts)(\.|$)", n)}

    kept.clear()
    before = {name: (module, dict(vars(module))) for name, module in ours().items()}
    yield
    kept.clear()
    if any(sys.modules.get(name) is not module for name, (module, _) in before.items()):
        for name in ours():
            del sys.modules[name]
        for name, (module, names) in before.items():
            sys.modules[name] = module
            module.__dict__.update(names)
