"""The thin MkDocs plugin: it makes the parts, hands the syntax to Python-Markdown, and watches.

What a page may say stands in `build_scripts/markdown/`, what is made in `site_parts.py`. Neither
knows MkDocs, so the book can move to another generator by replacing this file.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import sys
from html import escape
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader
from mkdocs.config import config_options as options
from mkdocs.config.base import Config
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.livereload import LiveReloadServer
from mkdocs.plugins import BasePlugin, CombinedEvent, event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.theme import Theme
from watchdog.observers.polling import PollingObserver

__all__ = ["LearningWithoutLabels"]

log = logging.getLogger("mkdocs.plugins.book")
_FORMULA = re.compile(r'<(span|div) class="arithmatex" data-search-exclude>.*?</\1><!--formula-->', re.S)
MKDOCSTRINGS_CSS = "assets/_mkdocstrings.css"
WATCHED = ("sims", "sim_engine", "build_scripts")


class BookConfig(Config):  # type: ignore[no-untyped-call]  # theirs
    """`sims: false` builds the pages alone; so does the environment's LWL_SIMS=0."""

    sims = options.Type(bool, default=True)


class LearningWithoutLabels(BasePlugin[BookConfig]):  # type: ignore[no-untyped-call]  # theirs
    """Makes the book's parts and reads its syntax."""

    def __init__(self) -> None:
        self.serving = False
        self.seen = ""
        self.cache: Any = None
        self.notebooks: dict[str, str] = {}

    def on_startup(self, *, command: Literal["build", "gh-deploy", "serve"], dirty: bool) -> None:
        # That this method exists keeps the plugin's instance from one rebuild to the next.
        self.serving = command == "serve"

    def on_config(self, config: MkDocsConfig) -> MkDocsConfig:
        self.root = Path(config.config_file_path).resolve().parent
        self._forget_changed_modules()
        from build_scripts.markdown import AuthoringExtension, Book

        self.with_sims = self.config.sims and os.environ.get("LWL_SIMS", "1") != "0"
        self.book = Book(self.root)
        config.markdown_extensions.append(AuthoringExtension(self.book))  # type: ignore[arg-type]  # or a name
        # The reference has a look of its own, and the other pages need none.
        config.extra_css = [path for path in config.extra_css if path != MKDOCSTRINGS_CSS]
        _list_no_icons(config.theme)
        return config

    def on_files(self, files: Files, config: MkDocsConfig) -> Files:
        from build_scripts.site_nav import contents
        from build_scripts.site_parts import Parts

        parts = Parts(self.root, log.info)
        parts.make(sims=self.with_sims)
        self.faults = list(parts.errors)
        # After a fault some sims have no rendered page; their embeds get room all the same.
        whole = set(self.book.slugs) == set(parts.pages)
        self.book.measure = parts.height if whole else None
        self.book.painted = parts.painted if whole else None
        for address, path in parts.files(sims=self.with_sims):
            files.append(File.generated(config, address, abs_src_path=str(path)))
        self._one_sheet(files, config)
        for slug in self.book.slugs:
            page = self.root / "sims" / slug / "index.md"
            if page.is_file():
                files.append(File.generated(config, f"sims/{slug}/index.md", abs_src_path=str(page)))
        config.nav = contents(f.src_uri for f in files.documentation_pages())
        self._survey(files)
        if self.serving:
            from build_scripts.page_cache import PageCache, Surroundings

            self.cache = self.cache or PageCache()
            self.around = Surroundings(self.root, files, self.book)
        return files

    def on_pre_page(self, page: Page, *, config: MkDocsConfig, files: Files) -> Page:
        if self.serving and page.file.src_uri.endswith(".md"):
            self.cache.attach(page, self.book, self.around)
        return page

    @event_priority(100)
    def on_page_markdown(self, markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Say which page is being read, before any other plugin takes pieces out of it."""
        from build_scripts.markdown import Source
        from build_scripts.markdown.quiz_check import check_quizzes

        path = Path(page.file.abs_src_path or "")
        slug = page.file.src_uri.split("/")[1] if self._is_sim(page.file) else None
        self.book.page = Source.read(path, self.root, page.url, slug)
        if faulty := check_quizzes(self.book.page):
            self.book.problems += faulty
            # mkdocs-quiz would stop at the first one, without its line.
            said = "\n".join(f'<p class="authoring-error">{escape(str(p))}</p>' for p in faulty)
            markdown = re.sub(r"<quiz>.*?(</quiz>|\Z)", "", markdown, flags=re.S) + f"\n\n{said}\n"
        page.edit_url = _edit_url(config, self.book.page.file)
        if slug:
            # The sim stands above the text, so it is the first one shown.
            self.book.page.shown.append(slug)
        return markdown

    @event_priority(-100)
    def on_page_content(self, html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
        """Add the generated parts, after all other plugins."""
        from build_scripts.markdown import citations, sim_page
        from build_scripts.page_tidy import tidy_notebook, tidy_quiz
        from build_scripts.reference.anchors import register

        if page.file.src_uri.endswith(".ipynb"):
            from build_scripts.markdown import Source

            self.book.page = Source.read(Path(page.file.abs_src_path or ""), self.root, page.url)
            # Cleaning a notebook takes longer than the rest of a rebuild.
            key = hashlib.sha256(html.encode()).hexdigest()
            if key not in self.notebooks:
                self.notebooks[key] = tidy_notebook(self.book, html, Path(page.file.src_uri).name)
            html = self.notebooks[key]
        html = tidy_quiz(html, page.url)
        source = self.book.current()
        has_heading = re.search(r'<h2 id="references"', html) is not None
        if source.cited:
            html += citations.page_list(self.book, heading=not has_heading)
        if slug := source.sim:
            above = self.book.attempt(1, lambda: sim_page.above(self.book, slug, self._chapter(slug)))
            below = self.book.attempt(
                1, lambda: sim_page.below(self.book, slug, page.edit_url, config.site_url or "")
            )
            html = above + html + below
        register(config.plugins, page, html)
        return html

    @event_priority(100)
    def _before_search(self, context: Any, *, page: Page, config: MkDocsConfig, nav: Any) -> Any:
        """Give the search index the page without its set formulas: they are long and say little there."""
        self.whole = page.content
        page.content = _FORMULA.sub("", page.content or "")
        self.new_entries: tuple[str, int] | None = None
        if self.cache and (index := _search_index(config)):
            key, known = self.cache.entries(page)
            if known is None:
                self.new_entries = key, len(index.entries)
            else:
                index.entries += known
                page.content = ""
        return context

    @event_priority(-100)
    def _after_search(self, context: Any, *, page: Page, config: MkDocsConfig, nav: Any) -> Any:
        if self.new_entries and (index := _search_index(config)):
            key, first = self.new_entries
            self.cache.keep_entries(key, index.entries[first:])
        page.content = self.whole
        return context

    on_page_context = CombinedEvent(_before_search, _after_search)

    def on_env(self, env: Any, *, config: MkDocsConfig, files: Files) -> Any:
        """Stop the build on any fault; `serve` shows it, in the terminal and on the page, and goes on."""
        env.bytecode_cache = FileSystemBytecodeCache(str(_folder(self.root / ".cache" / "jinja")))
        if self.cache:
            self.cache.forget_unused()
        from build_scripts.data_check import check_data
        from build_scripts.markdown.page_contract import check_sim_page

        faults = [*self.faults, *(str(p) for p in sorted(self.book.problems))]
        for slug in self.book.slugs:
            faults += [str(p) for p in check_sim_page(self.root / "sims" / slug / "index.md", self.root)]
        faults += [str(p) for p in check_data(self.root)]
        if not faults:
            return env
        message = "\n\n".join(dict.fromkeys(faults))
        if self.serving:
            log.error("%s", message)
            return env
        raise PluginError(f"{len(set(faults))} fault(s):\n\n{message}")

    def on_post_page(self, output: str, *, page: Page, config: MkDocsConfig) -> str:
        """Take the blank lines out of what comes before the text: each is a node to a browser."""
        before, content, text = output.partition('<div class="md-content"')
        return re.sub(r"\s*\n\s*", "\n", before) + content + text

    def on_post_build(self, *, config: MkDocsConfig) -> None:
        Path(config.site_dir, MKDOCSTRINGS_CSS).unlink(missing_ok=True)
        if self.serving and self.with_sims:
            from build_scripts.render.spare import keep_one

            keep_one()

    def on_serve(self, server: LiveReloadServer, *, config: MkDocsConfig, builder: Any) -> LiveReloadServer:
        # A .pyc written while building would look like an edit.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        # MkDocs looks every half second; one look at these folders takes a hundredth.
        watched = list(server._watched_paths)
        server._watched_paths.clear()
        server.observer = PollingObserver(timeout=0.15)
        for path in (*watched, *(str(self.root / folder) for folder in WATCHED)):
            server.watch(path)
        return server

    def _one_sheet(self, files: Files, config: MkDocsConfig) -> None:
        """Make one style sheet of the theme's, the book's and KaTeX's; what only pages link then goes."""
        from build_scripts.book_css import SHEETS, sheet

        found = [next((f for f in files if re.fullmatch(pattern, f.src_uri)), None) for pattern in SHEETS]
        missing = [name for name, file in zip(SHEETS, found, strict=True) if file is None]
        # Without Node, say, some are not made; that is told already, and `serve` goes on with the others.
        if missing and not self.faults:
            self.faults.append(f"no style sheet {', '.join(missing)}; see build_scripts/book_css.py")
        address, text = sheet((file.dest_uri, file.content_string) for file in found if file is not None)
        files.append(File.generated(config, address, content=text))
        config.extra["book_css"] = address
        gone = re.compile(r"assets/(stylesheets/(main|palette)\.\w+\.min\.css(\.map)?|site\.css)")
        for file in [f for f in files if gone.fullmatch(f.src_uri)]:
            files.remove(file)

    def _is_sim(self, file: File) -> bool:
        parts = file.src_uri.split("/")
        return (
            len(parts) == 3 and parts[0] == "sims" and parts[2] == "index.md" and parts[1] in self.book.slugs
        )

    def _chapter(self, slug: str) -> str:
        """Title of the chapter that a sim belongs to."""
        return self.book.pages.get(f"chapters/{self.book.sim(slug).meta.get('chapter', '')}/", "")

    def _survey(self, files: Files) -> None:
        """Read every page once for its title and for what it cites."""
        from build_scripts.markdown.survey import survey

        pages = [(f.url, Path(f.abs_src_path)) for f in files.documentation_pages() if f.abs_src_path]
        self.book.pages, self.book.cited_in = survey(pages)

    def _forget_changed_modules(self) -> None:
        """After an edit of the engine or of the build, import it anew in the running server."""
        digest = hashlib.sha256()
        for folder in ("sim_engine", "build_scripts"):
            for path in sorted((self.root / folder).rglob("*.py")):
                digest.update(path.read_bytes())
        now = digest.hexdigest()
        if self.seen and now != self.seen:
            for name in [n for n in sys.modules if re.match(r"(sim_engine|build_scripts)(\.|$)", n)]:
                if name not in ("build_scripts", __name__):
                    del sys.modules[name]
            self.cache = None
        self.seen = now


class _Templates(FileSystemLoader):
    """Lists what MkDocs may copy. Material has fourteen thousand icons, of which it would take none."""

    def list_templates(self) -> list[str]:
        found = set()
        for root in map(Path, self.searchpath):
            for place, folders, names in os.walk(root):
                folders[:] = [folder for folder in folders if not folder.startswith(".")]
                found |= {Path(place, name).relative_to(root).as_posix() for name in names}
        return sorted(found)


def _list_no_icons(theme: Theme) -> None:
    """At every build MkDocs goes through all files of the theme; that took a tenth of a page's edit."""
    made = theme.get_env

    def get_env() -> Environment:
        environment = made()
        environment.loader = _Templates(theme.dirs)
        return environment

    theme.get_env = get_env  # type: ignore[method-assign]  # of this build's theme alone


def _search_index(config: MkDocsConfig) -> Any:
    """The index that Material's search fills; None where a book has no search."""
    plugin = config.plugins.get("material/search") or config.plugins.get("search")
    return getattr(plugin, "search_index", None)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _edit_url(config: MkDocsConfig, path: str) -> str | None:
    """Where a file is edited; None when the repository's address is unknown."""
    return f"{config.repo_url.rstrip('/')}/edit/main/{path}" if config.repo_url else None
