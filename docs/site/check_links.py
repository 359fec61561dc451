"""Check the built site: every link has its file and anchor, and nothing is loaded from a network.

MkDocs checks links in Markdown only; this also reads what plugins and raw HTML have made.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADING = {"script", "img", "iframe", "source", "video", "audio", "embed", "object"}


class Links(HTMLParser):
    """The links of a page, the ids that links can point to, and the tags that load files."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids = {"", "__top"}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes of one tag."""
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        targets = [values[name] for name in ("href", "src", "data") if name in values]
        self.links += targets
        if tag in LOADING or (tag == "link" and values.get("rel") != "canonical"):
            self.loaded += targets
        if "mermaid" in values.get("class", "").split():
            self.loaded.append("https://unpkg.com (diagrams of Mermaid)")


def faults(site: Path) -> list[str]:
    """Return a sentence for each broken link and each file that a page loads from elsewhere."""
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    sentences = []
    for path, page in pages.items():
        name = path.relative_to(site)
        sentences += [f"{name}: loads {url}" for url in page.loaded if urlsplit(url).netloc]
        # The page of errors has links from the root of a host.
        for link in page.links if path.name != "404.html" else ():
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                sentences.append(f"{name}: no file for {link}")
            elif target in pages and unquote(parts.fragment) not in pages[target].ids:
                sentences.append(f"{name}: no anchor for {link}")
    return sentences


if __name__ == "__main__":
    listed = faults(Path(sys.argv[1]).resolve())
    sys.exit("\n".join(listed) or None)
