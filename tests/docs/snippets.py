"""The code blocks of the pages, and how a page marks those that cannot be run everywhere.

A comment of HTML in the line before a block is its mark, invisible to readers:

<!-- run -->              a block of sh that `-m slow` executes
<!-- slow -->             a block of python; the page is executed by `-m slow` alone
<!-- needs: REASON -->    a block of python or toml that needs what a test does not have
<!-- files: A B -->       files that a block of toml names; the test writes them
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^(?: *<!-- (?P<mark>run|slow|(?:needs|files): [^>]+?) -->\n\n?)?"
    r"(?P<indent> *)```(?P<language>[^\n]*)\n(?P<code>.*?)^(?P=indent)```\n",
    re.MULTILINE | re.DOTALL,
)
HERE_DOCUMENT = re.compile(r"(?<=<<)'(\w+)'\n.*?^\1$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(bench [^`]+)`")
SHELLS = {"sh", "bash", "console"}
# Punctuation of the shell that ends a command.
ENDS = {"&&", "||", "|", ";", ">", ">>", "2>", "<", "&"}


class Block(NamedTuple):
    """A code block: the page, the line of its first line, its language, mark and content."""

    page: str
    line: int
    language: str
    mark: str
    code: str

    @property
    def name(self) -> str:
        """Where it is, as the name of a test."""
        return f"{self.page}:{self.line}"

    @property
    def has_commands(self) -> bool:
        """Whether it is of a shell."""
        return self.language in SHELLS


def pages() -> list[str]:
    """Return the pages that a visitor reads, relative to the root."""
    files = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), ROOT / "leaderboards/CONTRIBUTING.md"]
    return sorted(str(file.relative_to(ROOT)) for file in files)


def blocks(page: str) -> Iterator[Block]:
    """Yield the code blocks of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start("code")) + 1
        indent = len(match["indent"])
        code = "".join(each[indent:] or "\n" for each in match["code"].splitlines(keepends=True))
        yield Block(page, line, match["language"].strip(), match["mark"] or "", code)


def commands(block: Block) -> Iterator[list[str]]:
    """Yield the arguments of each `bench` in a block of the shell.

    Of a console, lines that begin with `$` are commands; all else is what they print.
    """
    text = HERE_DOCUMENT.sub("", block.code).replace("\\\n", " ")
    lines = text.splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        yield from bench_arguments(line)


def inline_commands(page: str) -> Iterator[list[str]]:
    """Yield the arguments of each `bench` in the prose of a page."""
    prose = BLOCK.sub("\n", (ROOT / page).read_text(encoding="utf-8"))
    for code in INLINE.findall(prose):
        yield from bench_arguments(" ".join(code.split()))


def bench_arguments(line: str) -> Iterator[list[str]]:
    """Yield the arguments of each `bench` in one line of the shell."""
    # A comment begins a word: `quick#1` is none.
    line = re.sub(r"(^|\s)#.*", "", line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in ENDS:
            while words and (words[0] in {"uv", "run", "timeout", "nice"} or "=" in words[0]):
                words.pop(0)
            if words[:1] == ["bench"]:
                yield words[1:]
            words = []
        else:
            words.append(word)
