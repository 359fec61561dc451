"""Python classes of the user as recognizers."""

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
from bench.recognizers.outside.python_source import (
    ClassSource,
    class_source,
    located_target,
    split_target,
)
from bench.recognizers.outside.reading_check import checked_readings
from bench.recognizers.outside.toml_table import HashableTable, parse_table

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

MAX_PARAMETERS = 2**53
"""Weights; every reader of JSON reads this number exactly."""
_NO_PARAMETERS = HashableTable()


@dataclass(frozen=True)
class PythonRecognizer(Recognizer):
    """A Python class whose method `read` returns one text per image.

    Args:
        python: "FILE.py:CLASS", with a path relative to the folder of bench.toml, or
            "package.module:CLASS" of an installed package.
        parameters: The arguments of the constructor. If a value is the path of a file, relative to
            the folder of bench.toml, the key has the content of the file.
        files: Other files on which the readings depend, such as weights that the class loads
            itself.
    """

    name: ClassVar[str] = "python"

    python: str
    parameters: Annotated[HashableTable, Parsed(parse_table)] = _NO_PARAMETERS
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise BenchError if `python` does not name a class."""
        split_target(self.python, f"recognizer '{self.name}'")

    @property
    def label(self) -> str:
        """The class and its parameters, as boards print them."""
        values = [f"{key}={_label_of_value(value)}" for key, value in self.parameters.items()]
        where, _, kind = self.python.rpartition(":")
        return f"{self.name}({', '.join([f'{Path(where).name}:{kind}', *values])})"

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with absolute paths of the files in them, relative to `home`."""
        located = dict(parameters)
        if isinstance(target := parameters.get("python"), str):
            located["python"] = located_target(target, home)
        if "parameters" in parameters:
            located["parameters"] = named_files.locate_files(parameters["parameters"], home)
        if "files" in parameters:
            user = f"recognizer '{cls.name}'"
            located["files"] = named_files.require_files(parameters["files"], home, user)
        return located

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, with the SHA-256 of its source and files.

        Raises:
            BenchError: A file is missing.
        """
        source = self._source
        parameters = {
            "python": source.label,
            "parameters": named_files.files_as_digests(self.parameters, self._user),
            "files": named_files.files_as_digests(self.files, self._user),
        }
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"source": source.digests()}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Construct the class and yield a reader; at the end, call `close` if the class has it."""
        from bench.recognizers.outside.python_class import (
            construct_reader,
            imported_class,
            user_code_errors,
        )

        source, user = self._source, self._user
        with imported_class(source, user) as kind:
            offered = {"device": workplace.device, "threads": workplace.threads}
            reader = construct_reader(
                kind, named_files.resolve_package_files(self.parameters), offered, user
            )
            yield _PythonReader(reader, source, user)
            with user_code_errors(f"{user}.close failed", source.file):
                getattr(reader, "close", lambda: None)()

    @property
    def _source(self) -> ClassSource:
        return class_source(self.python, f"recognizer '{self.name}'")

    @property
    def _user(self) -> str:
        return self._source.label


class _PythonReader(TextReader):
    """Calls an object of the user's class, and checks what it returns."""

    def __init__(self, reader: Any, source: ClassSource, user: str) -> None:  # noqa: ANN401
        self._reader = reader
        self._source = source
        self._user = user

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return the texts that the object reads from the pixels."""
        from bench.recognizers.outside.python_class import user_code_errors

        images = [sample.pixels(3) for sample in samples]
        what = f"{self._user}.read failed on {len(samples)} images from {quoted(samples[0].id)}"
        with user_code_errors(what, self._source.file):
            read = self._reader.read(images)
        return checked_readings(read, [sample.id for sample in samples], f"{self._user}.read")

    @property
    def parameters(self) -> int | None:
        """The number of weights, if the object has it as `parameters`."""
        count = self._attribute("parameters")
        counts = isinstance(count, int) and not isinstance(count, bool)
        return count if counts and 0 <= count < MAX_PARAMETERS else None

    @property
    def alphabet(self) -> frozenset[str] | None:
        """The characters that the object can read, if it has them as `alphabet`."""
        letters = self._attribute("alphabet")
        if letters is None or callable(letters):
            return None
        if not isinstance(letters, Iterable):
            raise BenchError(
                f"{self._user}.alphabet is of type {type(letters).__name__}; make it a text of all "
                "characters that it can read, or remove it"
            )
        # A lone surrogate is not a character, and cannot be written as UTF-8.
        return frozenset("".join(map(str, letters)).encode("utf-8", "ignore").decode())

    def _attribute(self, name: str) -> Any:  # noqa: ANN401 (any value of the user's class)
        from bench.recognizers.outside.python_class import user_code_errors

        with user_code_errors(f"{self._user}.{name} cannot be read", self._source.file):
            return getattr(self._reader, name, None)


def _label_of_value(value: object) -> str:
    if isinstance(value, str):
        return named_files.without_folders(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
