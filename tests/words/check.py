"""Report words of `words.toml` in names, prose and pages: `python tests/words/check.py [PATH]...`.

Exits with 1 where it finds one. Code in pages, in backticks or in blocks, is not prose.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CODE = re.compile(r"```.*?```|~~~.*?~~~|``.*?``|`[^`\n]*`|\]\([^)\s]*\)|https?://\S+", re.DOTALL)
PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "bench.toml")
# Python 3.12 splits f-strings into tokens of their own.
TEXTS = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
DEFINITION = re.compile(r"^\s*(?:def|class) (\w+)", re.MULTILINE)


class Hit(NamedTuple):
    """A word that is not used, where it was read, and what is written instead."""

    file: str
    line: int
    word: str
    instead: str


class Words:
    """The patterns of `words.toml`, each kind as one regular expression."""

    def __init__(self, tables: dict[str, dict[str, Any]]) -> None:
        self.keys: dict[str, list[str]] = tables["keys"]
        self._prose = [
            (re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE), instead)
            for pattern, instead in tables["prose"].items()
        ]
        self._names = [
            (re.compile(pattern), instead) for pattern, instead in tables["names"].items()
        ]

    def prose(self, text: str) -> Iterator[tuple[int, str, str]]:
        """Yield line, word and replacement of each hit in prose; code is blanked first."""
        text = CODE.sub(lambda code: re.sub(r"[^\n]", " ", code[0]), text)
        for pattern, instead in self._prose:
            for match in pattern.finditer(text):
                yield text.count("\n", 0, match.start()) + 1, match[0], instead

    def name(self, name: str) -> str | None:
        """Return the replacement of an identifier, None where it may be used."""
        return next((instead for pattern, instead in self._names if pattern.fullmatch(name)), None)


def python_hits(words: Words, file: str, text: str, *, names: bool) -> Iterator[Hit]:
    """Yield hits in strings and comments of a module, and in identifiers where `names`."""
    previous = ""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start = token.start[0]
        if token.type in TEXTS:
            for line, word, instead in words.prose(token.string):
                yield Hit(file, start + line - 1, word, instead)
        elif token.type == tokenize.NAME and names and not iskeyword(token.string):
            # An attribute is named where its class is defined, which may be another package's.
            is_key = token.string in words.keys.get(file, ())
            instead = None if previous == "." or is_key else words.name(token.string)
            if instead:
                yield Hit(file, start, token.string, instead)
        previous = token.string
    stem = Path(file).stem
    if names and (instead := words.name(stem)):
        yield Hit(file, 1, f"{stem}.py", instead)


def test_name_hits(words: Words, file: str, text: str) -> Iterator[Hit]:
    """Yield hits in the names of test functions, word by word."""
    for match in DEFINITION.finditer(text):
        for _, word, instead in words.prose(match[1].replace("_", " ")):
            yield Hit(file, text.count("\n", 0, match.start()) + 1, f"{match[1]}: {word}", instead)


def hits(words: Words, file: str) -> Iterator[Hit]:
    """Yield the hits in one file of the repository, by its kind."""
    path = ROOT / file
    if file.startswith("tests/words/") or file == "docs/contributing/style.md":
        return
    if file.startswith("bench/") and path.suffix == ".py":
        yield from python_hits(words, file, path.read_text(encoding="utf-8"), names=True)
    elif file.startswith("tests/") and path.suffix == ".py":
        yield from test_name_hits(words, file, path.read_text(encoding="utf-8"))
    elif file in PAGES or (
        file.startswith(("docs/", "datasets/")) and path.suffix in {".md", ".toml"}
    ):
        for line, word, instead in words.prose(path.read_text(encoding="utf-8")):
            yield Hit(file, line, word, instead)


def main(paths: list[str]) -> int:
    """Print the hits in tracked files below `paths`, all of them by default."""
    words = Words(tomllib.loads((HERE / "words.toml").read_text(encoding="utf-8")))
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    listed_hits = [hit for file in listed if (ROOT / file).is_file() for hit in hits(words, file)]
    for hit in listed_hits:
        print(f"{hit.file}:{hit.line}: '{hit.word}': write {hit.instead}")
    return 1 if listed_hits else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
