"""A recognizer that is a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.components import Recognizer
from bench.core.errors import BenchError
from bench.core.files import file_digest
from bench.core.recognition import Reading, TextReader, Workplace
from bench.core.schema import PositiveFloat
from bench.recognizers.outside import named_files
from bench.recognizers.outside.image_files import Form

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.outside.program import Programs

_IMAGE = "{image}"
_REMEDY = "install it, or write its path as seen from the folder of bench.toml"


@dataclass(frozen=True)
class CommandRecognizer(Recognizer):
    """A program that gets paths of images, one per line, and prints path, tab and text for each.

    It is started once per batch, with all paths on its standard input, and ends after its last
    answer. Where an argument has `{image}`, it is started once per image, with the path in its
    place, and all that it prints is the text.

    Args:
        command: The program and its arguments; no shell reads them. An argument, or what follows
            its first `=`, that names a file is found from the folder of bench.toml and stands for
            the content of the file.
        format: What the images are written as: the stored bytes as they are ("stored", PNG for
            rare formats), or without loss as png, bmp, tif, ppm or pgm (gray).
        timeout: Seconds after which the program, with all that it started, is killed.
        version_command: A command that prints the version of the program. Its output then stands
            for the program in keys, instead of the content of its executable file.
        files: More files that the readings depend on, such as weights.
    """

    name: ClassVar[str] = "command"

    command: tuple[str, ...]
    format: Form = "stored"
    timeout: PositiveFloat = 600.0
    version_command: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise BenchError where there is no program."""
        if not self.command or not self.command[0]:
            raise BenchError(
                f"{self._user}: 'command' is empty; write the program and its arguments"
            )

    @property
    def label(self) -> str:
        """The command without the folders of its files, as boards print it."""
        return f"{self.name}({' '.join(map(_shown, self.command))})"

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with all files among them found from `home`."""
        found = dict(parameters)
        for key in ("command", "version_command"):
            if isinstance(words := parameters.get(key), list | tuple):
                found[key] = [_located(word, home) for word in words]
        if "files" in parameters:
            user = f"recognizer '{cls.name}'"
            found["files"] = named_files.require_files(parameters["files"], home, user)
        return found

    def spec(self) -> dict[str, Any]:
        """Return what it adds to a key.

        The program is represented by the SHA-256 of its file, or by what `version_command` prints.

        Raises:
            BenchError: The program or a file is missing.
        """
        parameters = {
            "command": [_content(word, self._user) for word in self.command[1:]],
            "format": self.format,
            "files": named_files.files_as_digests(self.files, self._user),
        }
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"program": self._program()}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Find the program; kill what is left of it in the end."""
        from bench.recognizers.outside.program import find_executable, open_programs, thread_limits

        command = [_resolved(word) for word in self.command]
        find_executable(command, self._user, _REMEDY)
        limits = thread_limits(workplace.threads, workplace.device)
        name = f"{self._user} ({named_files.without_folders(self.command[0])})"
        with open_programs(limits, name) as started:
            yield _CommandReader(self, command, started, name)

    def _program(self) -> dict[str, str]:
        from bench.recognizers.outside.program import find_executable, printed_version

        name = Path(self.command[0]).name
        if self.version_command:
            return {
                "file": name,
                "printed": printed_version(self.version_command, self._user, _REMEDY),
            }
        file = find_executable(self.command, self._user, _REMEDY)
        return {"file": name, "sha256": file_digest(str(file), self._user)}

    @property
    def _user(self) -> str:
        return f"recognizer '{self.name}'"


class _CommandReader(TextReader):
    """Starts the program once per batch, or once per image."""

    def __init__(
        self,
        recognizer: CommandRecognizer,
        command: Sequence[str],
        programs: Programs,
        user: str,
    ) -> None:
        self._recognizer = recognizer
        self._command = command
        self._programs = programs
        self._user = user

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Write the images to files and return what the program prints for them."""
        from bench.recognizers.outside.image_files import write_images
        from bench.recognizers.outside.printed_answers import parse_answers

        files = write_images(samples, self._recognizer.format, self._programs.folder)
        ids = [sample.id for sample in samples]
        try:
            if any(_IMAGE in word for word in self._command):
                return [self._one(*pair) for pair in zip(files, ids, strict=True)]
            lines = "".join(f"{file}\n" for file in files).encode()
            printed = self._programs.run(self._command, lines, self._recognizer.timeout)
            return parse_answers(printed, files, ids, self._user)
        finally:
            for file in files:
                file.unlink(missing_ok=True)

    def _one(self, file: Path, sample: str) -> Reading:
        from bench.recognizers.outside.printed_answers import whole_output_reading

        command = [word.replace(_IMAGE, str(file)) for word in self._command]
        printed = self._programs.run(command, b"", self._recognizer.timeout)
        return whole_output_reading(printed, sample, self._user)


def _located(word: object, home: Path) -> object:
    if not isinstance(word, str):
        return word
    option, equals, value = word.partition("=")
    if equals and named_files.named_file(value, home):
        return f"{option}={named_files.locate_files(value, home)}"
    return named_files.locate_files(word, home)


def _resolved(word: str) -> str:
    option, equals, value = word.partition("=")
    return str(
        f"{option}={named_files.resolve_package_files(value)}"
        if equals
        else named_files.resolve_package_files(word)
    )


def _shown(word: str) -> str:
    option, equals, value = word.partition("=")
    if equals and named_files.named_file(value, Path()):
        return f"{option}={named_files.without_folders(value)}"
    return named_files.without_folders(word)


def _content(word: str, user: str) -> object:
    option, equals, value = word.partition("=")
    if equals and named_files.named_file(value, Path()):
        return [option, named_files.files_as_digests(value, user)]
    return named_files.files_as_digests(word, user)
