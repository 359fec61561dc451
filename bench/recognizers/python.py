"""A recognizer that is a Python class of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from bench.core.components import Recognizer
from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.core.recognition import Reading, TextReader, Workplace
from bench.core.schema import Parsed
from bench.recognizers.outside import named_files
from bench.recognizers.outside.checked import checked_readings
from bench.recognizers.outside.python_source import (
    ClassSource,
    class_source,
    located_target,
    split_target,
)
from bench.recognizers.outside.table import Table, table

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

MAX_PARAMETERS = 2**53
"""Weights; a number that any reader of JSON reads as it is."""
_NO_PARAMETERS = Table()


@dataclass(frozen=True)
class PythonRecognizer(Recognizer):
    """A Python class whose method `read` returns one text per image.

    Args:
        python: "FILE.py:CLASS", the file as seen from the folder of bench.toml, or
            "package.module:CLASS" of an installed package.
        parameters: What the class is constructed with. A text that names a file is found from the
            folder of bench.toml and stands for the content of the file.
        files: More files that the readings depend on, such as weights that the class finds itself.
    """

    name: ClassVar[str] = "python"

    python: str
    parameters: Annotated[Table, Parsed(table)] = _NO_PARAMETERS
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise BenchError where `python` does not name a class."""
        split_target(self.python, f"recognizer '{self.name}'")

    @property
    def label(self) -> str:
        """The class and its parameters, as boards print them."""
        values = [f"{key}={_shown(value)}" for key, value in self.parameters.items()]
        where, _, kind = self.python.rpartition(":")
        return f"{self.name}({', '.join([f'{Path(where).name}:{kind}', *values])})"

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with all files among them found from `home`."""
        found = dict(parameters)
        if isinstance(target := parameters.get("python"), str):
            found["python"] = located_target(target, home)
        if "parameters" in parameters:
            found["parameters"] = named_files.located(parameters["parameters"], home)
        if "files" in parameters:
            user = f"recognizer '{cls.name}'"
            found["files"] = named_files.required(parameters["files"], home, user)
        return found

    def spec(self) -> dict[str, Any]:
        """Return what it adds to a key: the SHA-256 of its source, and of files in place of paths.

        Raises:
            BenchError: A file is missing.
        """
        source = self._source
        parameters = {
            "python": source.label,
            "parameters": named_files.content(self.parameters, self._user),
            "files": named_files.content(self.files, self._user),
        }
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"source": source.digests()}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Import and construct the class; call its `close` in the end, if it has one."""
        from bench.recognizers.outside.python_class import construct, failing, imported

        source, user = self._source, self._user
        with imported(source, user) as kind:
            offered = {"device": workplace.device, "threads": workplace.threads}
            reader = construct(kind, named_files.resolved(self.parameters), offered, user)
            yield _PythonReader(reader, source, user)
            with failing(f"{user}.close failed", source.file):
                getattr(reader, "close", lambda: None)()

    @property
    def _source(self) -> ClassSource:
        return class_source(self.python, f"recognizer '{self.name}'")

    @property
    def _user(self) -> str:
        return self._source.label


class _PythonReader(TextReader):
    """Calls an object of a person's class, and checks what it returns."""

    def __init__(self, reader: Any, source: ClassSource, user: str) -> None:  # noqa: ANN401
        self._reader = reader
        self._source = source
        self._user = user

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return what the object reads of the pixels."""
        from bench.recognizers.outside.python_class import failing

        images = [sample.pixels(3) for sample in samples]
        what = f"{self._user}.read failed on {len(samples)} images from {quoted(samples[0].id)}"
        with failing(what, self._source.file):
            read = self._reader.read(images)
        return checked_readings(read, [sample.id for sample in samples], f"{self._user}.read")

    @property
    def parameters(self) -> int | None:
        """The number of weights, where the object says so."""
        count = self._attribute("parameters")
        counts = isinstance(count, int) and not isinstance(count, bool)
        return count if counts and 0 <= count < MAX_PARAMETERS else None

    @property
    def alphabet(self) -> frozenset[str] | None:
        """The characters that it can read, where the object says so."""
        letters = self._attribute("alphabet")
        if letters is None or callable(letters):
            return None
        if not isinstance(letters, Iterable):
            raise BenchError(
                f"{self._user}.alphabet is of type {type(letters).__name__}; make it a text of all "
                "characters that it can read, or leave it out"
            )
        # A lone surrogate is no character, and no file can hold it.
        return frozenset("".join(map(str, letters)).encode("utf-8", "ignore").decode())

    def _attribute(self, name: str) -> Any:  # noqa: ANN401 (whatever a person's class has)
        from bench.recognizers.outside.python_class import failing

        with failing(f"{self._user}.{name} cannot be read", self._source.file):
            return getattr(self._reader, name, None)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return named_files.shown(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
