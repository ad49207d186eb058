"""The API reference: every public name of the engine on one page, with what its kind needs."""

import ast
import importlib
import inspect
import json
import logging
import pkgutil
import re
import shutil
import textwrap
from pathlib import Path

import griffe
import pytest
from bs4 import BeautifulSoup
from mkdocs.commands.build import build
from mkdocs.config import load_config

import sim_engine
from build_scripts.reference import docstrings
from build_scripts.reference.collect import entries, modules
from build_scripts.reference.signatures import call, parameters_of, result
from build_scripts.reference.write import Links, claim, returned_by, sections
from build_scripts.site_nav import contents

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of MkDocs's plugins

# What the book's own parts do is described in docs/develop/architecture.md; no paper has it, and nothing is
# computed that a formula would say.
OWN = ("sim_engine.bridge.", "sim_engine.data.", "sim_engine.microsim.")
WITHOUT_SOURCE = {
    "sim_engine.augment.Step": "a record",
    "sim_engine.augment.Fixed": "a step without chance",
}
WITHOUT_FORMULA: dict[str, str] = {}  # name to reason
# The check that is found is not met: `map_tree` compares nothing where it is given one tree alone.
NEVER_REFUSES = {f"sim_engine.optim.{name}.init" for name in ("Adam", "Lars", "Sgd")}
# A source says where in the work it is. These works bear no number there, or none that could be checked.
WITHOUT_PLACE = {
    "sim_engine.losses.debiased": "the paper's text was not at hand; its loss and estimator have names",
    "sim_engine.losses.n_pair": "the paper's text was not at hand; its loss has a name",
}


def public_names():
    """Every name of every public module, by importing: `{address: object}`."""
    names = {}
    for found in pkgutil.iter_modules(sim_engine.__path__):
        if not found.name.startswith("_"):
            names |= names_of(importlib.import_module(f"sim_engine.{found.name}"))
    return names


def names_of(module, prefix=None):
    prefix = prefix or module.__name__
    names = {}
    for name in module.__all__:
        thing = getattr(module, name)
        if type(thing).__name__ == "module":
            names |= names_of(thing, f"{prefix}.{name}")
        else:
            names[f"{prefix}.{name}"] = thing
    return names


@pytest.fixture(scope="module")
def package():
    extensions = griffe.load_extensions("build_scripts.reference.collect")
    return griffe.load("sim_engine", search_paths=[str(ROOT)], docstring_parser=None, extensions=extensions)


@pytest.fixture(scope="module")
def listed(package):
    return {entry.path: entry for module in modules(package) for entry in entries(module)}


def make(root):
    config = load_config(str(root / "mkdocs.yml"))
    config.plugins.on_startup(command="serve", dirty=False)
    build(config)
    return Path(config.site_dir)


def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture
def reference(small_site, monkeypatch):
    """The small book with the reference's own pages."""
    monkeypatch.setenv("LWL_SIMS", "0")
    monkeypatch.setenv("NO_MKDOCS_2_WARNING", "1")
    shutil.copytree(ROOT / "docs" / "reference", small_site / "docs" / "reference")
    develop = small_site / "docs" / "develop"
    develop.mkdir()
    sections = "## The microsim contract\n\nOne.\n\n## The data contract\n\nTwo.\n"
    (develop / "architecture.md").write_text(f"# Architecture\n\n{sections}", encoding="utf-8")
    with (small_site / "docs" / "index.md").open("a", encoding="utf-8") as home:
        home.write("\nSee [`nt_xent`][sim_engine.losses.nt_xent] and [a step][sim_engine.train.Step].\n")
    return small_site


def test_the_reference_lists_what_an_import_gives(listed):
    names = public_names()
    assert len(names) > 100
    assert set(listed) == set(names)


def test_every_public_name_stands_on_one_page(site):
    pages = {path: soup(path) for path in sorted((site / "reference").rglob("index.html"))}
    assert len(pages) == len(list((ROOT / "docs" / "reference").glob("*.md")))
    places = {}
    for path, page in pages.items():
        for tag in page.select(".ref-entry > .ref-heading"):
            places.setdefault(tag["id"], []).append(path.parent.name)
        text = page.article.get_text()
        assert "$$" not in text, f"{path} shows a formula as it is typed"
        assert "\\(" not in str(page.article), f"{path} leaves a formula to a script"
        for link in page.select(".ref-index a"):
            assert page.find(id=link["href"].removeprefix("#")), link
        assert not re.search(r"^(Args|Returns|Raises|Source|Examples):$", text, re.M), path
    missing = sorted(set(public_names()) - set(places))
    assert missing == [], "docs/reference/ has no `::: sim_engine.…` for the module of these"
    assert {name: where for name, where in places.items() if len(where) > 1} == {}

    losses = pages[site / "reference" / "losses" / "index.html"]
    entry = losses.find(id="sim_engine.losses.nt_xent").parent
    labels = [label.span.text for label in entry.select(".ref-sections > .ref-label")]
    assert labels == ["Arguments", "Returns", "Raises", "Source", "Examples"]
    assert entry.select(":scope > .arithmatex .katex")
    source = next(p for p in entry.select(".ref-sections > .ref-label") if p.text == "Source").find_next("p")
    assert source.a["href"] == "https://arxiv.org/abs/2002.05709"
    assert [dt.text for dt in entry.dl.find_all("dt")] == ["z_a, z_b", "tau"]
    returns = next(p for p in entry.select(".ref-sections > .ref-label") if p.span.text == "Returns")
    assert returns.a["href"] == "#sim_engine.losses.LossResult"

    # A class without an example of its own says what returns it.
    entry = losses.find(id="sim_engine.losses.LossResult").parent
    labels = [label.span.text for label in entry.select(".ref-sections > .ref-label")]
    assert labels == ["Attributes", "Returned by"]
    givers = entry.select(".ref-sections > .ref-label")[-1].find_next("p")
    assert givers.find("a", string="nt_xent")["href"] == "#sim_engine.losses.nt_xent"
    memory = (
        pages[site / "reference" / "encoders" / "index.html"].find(id="sim_engine.optim.AdamMemory").parent
    )
    assert memory.find("a", string="Adam.step")["href"] == "#sim_engine.optim.Adam.step"

    # Another page carries no style of theirs, and the search knows the names.
    home = soup(site / "index.html")
    styles = {
        path: [s["href"] for s in page.find_all("link", rel="stylesheet")] for path, page in pages.items()
    }
    assert not [s["href"] for s in home.find_all("link", rel="stylesheet") if "reference" in s["href"]]
    assert all("../assets/reference.css" in " ".join(links) for links in styles.values())
    assert not list(site.rglob("_mkdocstrings.css"))
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    found = {d["location"]: d for d in index}["reference/losses/#sim_engine.losses.nt_xent"]
    assert "nt_xent" in found["title"]
    assert "Cross-entropy of picking the positive" in found["text"]
    assert "ArrayLike" not in found["text"]
    own = [entry for entry in index if entry["location"].startswith("reference/")]
    assert len(own) > len(pages)
    assert "katex" not in json.dumps(own)


def test_an_edited_docstring_is_shown_and_links_hold_while_serving(reference, caplog):
    shutil.copytree(
        ROOT / "sim_engine", reference / "sim_engine", ignore=shutil.ignore_patterns("__pycache__")
    )
    page = Path("reference", "floors", "index.html")
    with caplog.at_level(logging.WARNING, logger="mkdocs"):
        site = make(reference)
    assert [r.getMessage() for r in caplog.records] == []
    assert "A value to compare with" not in (site / page).read_text(encoding="utf-8")
    home = soup(site / "index.html")
    assert home.find("a", string="nt_xent")["href"] == "reference/losses/#sim_engine.losses.nt_xent"
    assert home.find("a", string="a step")["href"] == "reference/train/#sim_engine.train.Step"
    path = reference / "sim_engine" / "floors" / "nt_xent.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('r"""NT-Xent when', 'r"""A value to compare with. NT-Xent when'), encoding="utf-8"
    )
    site = make(reference)
    assert "A value to compare with" in (site / page).read_text(encoding="utf-8")
    # Pages that are kept from the build before still know where the names are.
    home = reference / "docs" / "index.md"
    home.write_text(home.read_text(encoding="utf-8") + "\nMore.\n", encoding="utf-8")
    link = soup(make(reference) / "index.html").find("a", string="nt_xent")
    assert link["href"] == "reference/losses/#sim_engine.losses.nt_xent"


def test_every_public_name_says_what_its_kind_needs(listed):
    faults = []
    for path, entry in listed.items():
        said = entry.docstring
        lists = [s for s in said.sections if s.title in ("Args", "Attributes")]
        described = {name.lstrip("*") for s in lists for item in s.items for name in item.names}
        parameters = {p.name for p in parameters_of(entry.target)}
        if not said.claim:
            faults.append(f"{path}: no docstring")
        if entry.role == "function":
            if parameters != described:
                faults.append(f"{path}: Args differ from the parameters in {parameters ^ described}")
            if result(entry.target) is not None and not (said.section("Returns") or said.section("Yields")):
                faults.append(f"{path}: no Returns")
        else:
            # Those of a base class are described there.
            own = parameters & set(entry.target.members)
            in_prose = set(re.findall(r"`(\w+)`", f"{said.claim}\n{said.body}"))
            if missing := own - described - in_prose:
                faults.append(f"{path}: {missing} not described")
    assert faults == []


def test_every_public_name_has_a_runnable_example(listed):
    """A class without one is returned by a function or method whose example shows it; the page says which."""
    assert [p for p, e in listed.items() if not e.docstring.section("Examples") and not e.givers] == []
    for path, entry in listed.items():
        if (section := entry.docstring.section("Examples")) is not None:
            assert re.search(r"^>>> ", section.text, re.M), path


def is_protocol(entry):
    return any(str(base) == "Protocol" for base in getattr(entry.target, "bases", ()))


def is_computed(entry):
    """Whether a name computes a quantity: a function, a layer or an optimiser."""
    methods = {member.name for member in entry.members if member.role == "method"}
    steps = not is_protocol(entry) and bool({"forward", "step"} & methods)
    return not entry.path.startswith(OWN) and (entry.role == "function" or steps)


def is_cited(entry):
    """Whether a name comes from somewhere: what is computed, what is drawn, what is kept."""
    whole = entry.role == "class" and not entry.givers and not is_protocol(entry)
    return not entry.path.startswith(OWN) and (entry.role == "function" or whole)


def has_formula(entry):
    return "$" in "".join([entry.docstring.claim, entry.docstring.body])


def test_what_computes_a_quantity_gives_its_formula(listed):
    lacking = {path for path, e in listed.items() if is_computed(e) and not has_formula(e)}
    assert lacking == set(WITHOUT_FORMULA)


def test_every_family_names_its_sources(listed):
    lacking = {path for path, e in listed.items() if is_cited(e) and not e.docstring.section("Source")}
    assert lacking == set(WITHOUT_SOURCE)


PLACE = re.compile(
    r"\beqs?\. \d|\b(section|chapter|table|figure|algorithm|definition|theorem|proposition)s? \d"
    r"|\bappendix [A-Z]"
)


def test_a_loss_says_where_in_its_source_it_stands(listed):
    """By the number of an equation, section, table or figure."""
    sources = {path: e.docstring.section("Source") for path, e in listed.items()}
    losses = {p: s.text for p, s in sources.items() if p.startswith("sim_engine.losses.") and s is not None}
    assert len(losses) > 20
    assert {path for path, text in losses.items() if not PLACE.search(text)} == set(WITHOUT_PLACE)


def called_by(function, owner):
    """The engine's own functions that a function's body calls by name, and the bodies of classes it makes."""
    known = function.__globals__
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(name):
                yield known.get(name), None
            case ast.Attribute(ast.Name("self" | "cls"), name) if owner is not None:
                yield inspect.unwrap(getattr(owner, name, None)), owner
            case ast.Attribute(ast.Name(module), name) if inspect.ismodule(known.get(module)):
                yield getattr(known[module], name, None), None


def can_refuse(thing, owner=None, seen=()):
    """Whether a function, or what it calls, holds a `raise ValueError`; of a class, what makes one."""
    if inspect.isclass(thing):
        makers = (getattr(thing, name, None) for name in ("__init__", "__post_init__"))
        return any(can_refuse(maker, thing, seen) for maker in makers)
    thing = getattr(thing, "__func__", thing)
    ours = inspect.isfunction(thing) and thing.__module__.startswith("sim_engine")
    if not ours or thing in seen or thing.__code__.co_filename.startswith("<"):
        return False
    source = inspect.getsource(thing)
    if re.search(r"^ *raise ValueError\b", source, re.M):
        return True
    return any(can_refuse(other, its, (*seen, thing)) for other, its in called_by(thing, owner))


def test_what_is_refused_is_said(listed):
    """A function with arguments, and whatever may raise a ValueError, says what it raises."""
    names = public_names()
    silent = []
    for path, entry in listed.items():
        with_arguments = entry.role == "function" and bool(parameters_of(entry.target))
        if (with_arguments or can_refuse(names[path])) and not entry.docstring.section("Raises"):
            silent.append(path)
        if not is_protocol(entry):
            for member in entry.members:
                function = inspect.getattr_static(names[path], member.name, None)
                function = getattr(function, "__func__", function)
                if can_refuse(function, names[path]) and not member.docstring.section("Raises"):
                    silent.append(member.path)
    assert set(silent) == NEVER_REFUSES


def test_a_check_is_found_through_what_is_called():
    from sim_engine import losses, metrics

    assert can_refuse(losses.dcl)  # by `unit_views`, which calls `temperature`, which calls `positive`
    assert can_refuse(metrics.SoftmaxRegression.predict, metrics.SoftmaxRegression)  # by `self._logits`
    assert not can_refuse(losses.LossResult)


def test_the_families_come_from_the_formula_to_the_figure():
    (part,) = contents(f"reference/{name}.md" for name in ("data", "index", "losses", "zeta", "augment"))
    order = ("index", "losses", "augment", "data", "zeta")
    assert part == {"API reference": [f"reference/{name}.md" for name in order]}


def test_a_docstring_in_parts():
    said = docstrings.read(
        """Claim $x$,
        in two lines.

        Body: with a colon.

        Args:
            z_a, z_b: views,
                each (N, d).
            **rest: more: of it.

        Returns:
            A cosine: 1 when alike.

        Examples:
            >>> 1
            1
        """
    )
    assert said.claim == "Claim $x$,\nin two lines."
    assert said.body == "Body: with a colon."
    assert [s.title for s in said.sections] == ["Args", "Returns", "Examples"]
    args = said.section("Args").items
    assert [(i.names, i.text) for i in args] == [
        (("z_a", "z_b"), "views,\neach (N, d)."),
        (("**rest",), "more: of it."),
    ]
    assert said.section("Returns").text == "A cosine: 1 when alike."
    assert said.section("Source") is None
    assert docstrings.read("Alone.").sections == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Claim.\n\nArgs:\n    no item here",
            "Args must hold lines of the form `name: text`, got 'no item here'",
        ),
        ("Claim.\n\nArgs:\n    a: b\n\nArgs:\n    c: d", "each section may come once, got Args, Args"),
    ],
)
def test_a_docstring_that_cannot_be_read_is_refused(text, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        docstrings.read(text)


def test_the_fault_names_file_and_line(tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "__init__.py").write_text("")
    code = '__all__ = ["f"]\n\n\ndef f(x):\n    """Claim.\n\n    Args:\n        nothing\n    """\n'
    (tmp_path / "small" / "part.py").write_text(code)
    found = griffe.load("small", search_paths=[str(tmp_path)], docstring_parser=None)
    with pytest.raises(ValueError, match=r"part\.py:5: Args must hold lines"):
        entries(found["part"])


def function(code, name="f"):
    return griffe.visit("m", Path("m.py"), code)[name]


@pytest.mark.parametrize(
    ("code", "written"),
    [
        ("def f(): ...", "f()"),
        ("def f(a, b=1): ...", "f(a, b=1)"),
        (
            "def f(a: int, /, b: float = 2.0, *, c) -> str: ...",
            "f(\n    a: int,\n    /,\n    b: float = 2.0,\n    *,\n    c,\n) -> str",
        ),
        ("def f(*a, c, **d) -> None: ...", "f(*a, c, **d)"),
        ("class f(Base): ...", "class f(Base)"),
        ("class f(NamedTuple):\n    a: int\n    b: float = 1.0", "f(a: int, b: float = 1.0)"),
        ("class f:\n    def __init__(self, a): ...", "f(a)"),
    ],
)
def test_a_signature_is_written_as_python(code, written):
    assert call("f", function(code)) == written


def test_words_in_backticks_become_links_where_they_are_sure():
    known = {f"p.{a}": f"p.{a}" for a in ("losses.f", "losses.x", "floors.f", "floors.g")}
    links = Links(known, "p.losses").without({"x"})
    assert links.mark("`f` `g` `floors.f` `x` `other` `f(1)`") == (
        "[`f`][p.losses.f] [`g`][p.floors.g] [`floors.f`][p.floors.f] `x` `other` `f(1)`"
    )
    # Formulas and code are left alone; signs and shapes in prose are set.
    assert links.mark("$a >= `b`$, N >= 2, `c >= d`, (N, d), (0 or 1, x)") == (
        "$a >= `b`$, N\u00a0≥\u00a02, `c >= d`, (N,\u00a0d), (0 or 1, x)"
    )
    beside, within = r"$$a,\qquad b$$", r"$$\text{a \qquad b}$$"
    assert links.mark(beside) == r"$$\begin{gathered}a, \\[0.6em] b\end{gathered}$$"
    assert links.mark(within) == within
    said = docstrings.read("Claim `g`.\n\nSource:\n    arXiv:2002.05709, eq. 1.")
    assert claim(said, links) == "Claim [`g`][p.floors.g]."
    assert sections(said, None, links) == (
        '<p class="ref-label"><span>Source</span></p>\n\n'
        "[arXiv:2002.05709](https://arxiv.org/abs/2002.05709), eq. 1."
    )


def test_a_class_names_what_returns_it():
    links = Links({}, "p.losses")
    assert returned_by((), links) == ""
    label = '<p class="ref-label"><span>Returned by</span></p>'
    one = returned_by(["p.losses.clip.f"], Links({}, "p.losses.clip"))
    assert one == f"{label}\n\n[`f`][p.losses.clip.f], whose example shows it."
    two = returned_by(["p.losses.f", "p.floors.C.step"], links)
    assert two == f"{label}\n\n[`f`][p.losses.f], [`floors.C.step`][p.floors.C.step], whose examples show it."
