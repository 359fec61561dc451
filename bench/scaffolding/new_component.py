"""What `bench new` writes: a working component in one commented file, and its test."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from bench.core.documents import write_bytes
from bench.core.errors import BenchError
from bench.core.names import name_fault, with_article
from bench.core.regular_files import is_there

NewKind = Literal["loss", "model", "dataset", "metric", "decoder", "recognizer"]
KINDS: tuple[NewKind, ...] = get_args(NewKind)
_NOUNS = {"dataset": "data set"}


@dataclass(frozen=True)
class NewComponent:
    """A component to be written.

    Attributes:
        kind: Its kind.
        name: What bench.toml calls it.
        folder: The folder of its files.
    """

    kind: NewKind
    name: str
    folder: Path

    def __post_init__(self) -> None:
        """Raise BenchError if the name cannot be that of a component or of a Python module."""
        if fault := name_fault(self.kind, self.name):
            raise BenchError(fault)
        if not self.module.isidentifier() or keyword.iskeyword(self.module):
            raise BenchError(
                f"{with_article(self.kind)} '{self.name}' would be the Python module "
                f"'{self.module}', which cannot be imported; begin the name with a letter, and "
                "take another than a word of Python"
            )
        if not is_there(self.file) and find_spec(self.module) is not None:
            raise BenchError(
                f"the file of a {self.kind} '{self.name}' would hide the Python module "
                f"'{self.module}' from its test; take another name"
            )

    @property
    def module(self) -> str:
        """The name of its module."""
        return re.sub(r"[^0-9a-zA-Z_]", "_", self.name)

    @property
    def class_name(self) -> str:
        """The name of its class."""
        words = re.split(r"[^0-9a-zA-Z]+", self.name)
        return "".join(word[:1].upper() + word[1:] for word in words)

    @property
    def file(self) -> Path:
        """The file of the component."""
        return self.folder / f"{self.module}.py"

    @property
    def test(self) -> Path:
        """The file of its test."""
        return self.folder / f"test_{self.module}.py"

    def write(self) -> None:
        """Write the component and its test.

        Raises:
            BenchError: One of the files is there already; nothing was written.
        """
        for path in (self.file, self.test):
            if is_there(path):
                raise BenchError(
                    f"{path} is there already, and `bench new` replaces no file; take another "
                    "name, or another folder with --out"
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self.file, self._filled(f"new_{self.kind}.py.txt"))
        write_bytes(self.test, self._filled("new_test.py.txt"))

    def _filled(self, template: str) -> bytes:
        text = (files("bench.scaffolding") / "templates" / template).read_text(encoding="utf-8")
        values = {
            "name": self.name,
            "class": self.class_name,
            "module": self.module,
            "file": self.file.name,
            "test": self.test.name,
            "kind": self.kind,
            "noun": _NOUNS.get(self.kind, self.kind),
        }
        for key, value in values.items():
            text = text.replace(f"{{{{{key}}}}}", value)
        return text.encode()
