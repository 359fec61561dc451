"""A hook of MkDocs: files outside docs/ as pages of the site, and links to them.

Links of pages are relative paths in the repository, so they work on GitHub. In the site,
`leaderboards/` is `boards/`, and files of the root are in `repository/`.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
ROOT_FILES = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md")
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def site_path(path: str) -> str:
    """Return where the site has a file of the repository, relative to docs/."""
    if path == "README.md":
        return "index.md"
    if path == "bench.toml":
        return "repository/bench.toml.md"
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.startswith("leaderboards/"):
        return "boards/" + path.removeprefix("leaderboards/")
    return f"repository/{path}"


def repository_path(path: str) -> str:
    """Return where the repository has a file of the site; the inverse of `site_path`."""
    if path.startswith("boards/"):
        return "leaderboards/" + path.removeprefix("boards/")
    if path.startswith("repository/"):
        return path.removeprefix("repository/")
    return f"docs/{path}"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the published boards and the pages of the repository's root."""
    boards = [path for path in (ROOT / "leaderboards").rglob("*") if path.is_file()]
    others = [ROOT / name for name in ROOT_FILES if (ROOT / name).is_file()]
    for path in sorted([*boards, *others]):
        name = site_path(path.relative_to(ROOT).as_posix())
        if path.name == "board.html":
            text = path.read_text(encoding="utf-8").replace('href="README.md"', 'href="index.html"')
            files.append(File.generated(config, name, content=text))
        else:
            files.append(File.generated(config, name, abs_src_path=str(path)))
    suites = (ROOT / "bench.toml").read_text(encoding="utf-8")
    text = f"# bench.toml\n\nThe suites and recipes of bench.\n\n```toml\n{suites}```\n"
    files.append(File.generated(config, site_path("bench.toml"), content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 (MkDocs' signature)
    """Point links at the pages of the site; have Markdown read in the details of boards."""
    source = page.file.src_uri
    here = posixpath.dirname(repository_path(source))

    def site_link(link: re.Match[str]) -> str:
        if ":" in link[2]:
            return link[0]
        target = site_path(posixpath.normpath(posixpath.join(here, link[2])))
        return link[1] + posixpath.relpath(target, posixpath.dirname(source) or ".") + link[3]

    if source.startswith("boards/"):
        markdown = markdown.replace("<details>", "<details markdown>").replace(
            "[this folder](./)", "this folder"
        )
    return LINK.sub(site_link, markdown)
