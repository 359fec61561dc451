"""A program as a recognizer."""

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
from bench.recognizers.outside.image_files import ImageFormat

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.outside.program import Programs

_IMAGE = "{image}"
_REMEDY = "install it, or write its path as seen from the folder of bench.toml"


@dataclass(frozen=True)
class CommandRecognizer(Recognizer):
    """A program that reads paths of images, one per line, and prints path, tab and text for each.

    The program is started once per batch. It receives all paths on standard input and exits after
    its last answer. If an argument contains `{image}`, the program is started once per image
    instead: `{image}` is replaced by the path, and everything that it prints is the text.

    Args:
        command: The program and its arguments; no shell is used. If an argument, or its part after
            the first `=`, is the path of a file, relative to the folder of bench.toml, the key has
            the content of the file.
        format: The format of the image files: "stored" for the bytes of the data set (PNG if their
            format is rare), or a lossless one: "png", "bmp", "tif", "ppm" or "pgm" (gray).
        timeout: Seconds per call; after that, the program and all processes that it started are
            killed. The default allows a batch to take 10 minutes.
        version_command: A command that prints the version of the program. Its output is then part
            of keys, instead of the content of the executable file.
        files: Other files on which the readings depend, such as weights.
    """

    name: ClassVar[str] = "command"

    command: tuple[str, ...]
    format: ImageFormat = "stored"
    timeout: PositiveFloat = 600.0
    version_command: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise BenchError if `command` is empty."""
        if not self.command or not self.command[0]:
            raise BenchError(
                f"{self._user}: 'command' is empty; write the program and its arguments"
            )

    @property
    def label(self) -> str:
        """The command as boards print it: of files in it, only their names."""
        return f"{self.name}({' '.join(map(_label_of_argument, self.command))})"

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with absolute paths of the files in them, relative to `home`."""
        located = dict(parameters)
        for key in ("command", "version_command"):
            if isinstance(words := parameters.get(key), list | tuple):
                located[key] = [_locate_argument(word, home) for word in words]
        if "files" in parameters:
            user = f"recognizer '{cls.name}'"
            located["files"] = named_files.require_files(parameters["files"], home, user)
        return located

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys.

        It includes the SHA-256 of the program's file, or the output of `version_command`.

        Raises:
            BenchError: The program or a file is missing.
        """
        parameters = {
            "command": [_argument_as_digest(word, self._user) for word in self.command[1:]],
            "format": self.format,
            "files": named_files.files_as_digests(self.files, self._user),
        }
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"program": self._program()}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Find the program and yield a reader that runs it; kill its processes at the end."""
        from bench.recognizers.outside.program import find_executable, open_programs, thread_limits

        command = [_resolve_argument(word) for word in self.command]
        find_executable(command, self._user, _REMEDY)
        limits = thread_limits(workplace.threads, workplace.device)
        name = f"{self._user} ({named_files.without_folders(self.command[0])})"
        with open_programs(limits, name) as programs:
            yield _CommandReader(self, command, programs, name)

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
                return [self._read_image(*pair) for pair in zip(files, ids, strict=True)]
            lines = "".join(f"{file}\n" for file in files).encode()
            printed = self._programs.run(self._command, lines, self._recognizer.timeout)
            return parse_answers(printed, files, ids, self._user)
        finally:
            for file in files:
                file.unlink(missing_ok=True)

    def _read_image(self, file: Path, sample: str) -> Reading:
        from bench.recognizers.outside.printed_answers import whole_output_reading

        command = [word.replace(_IMAGE, str(file)) for word in self._command]
        printed = self._programs.run(command, b"", self._recognizer.timeout)
        return whole_output_reading(printed, sample, self._user)


def _locate_argument(word: object, home: Path) -> object:
    if not isinstance(word, str):
        return word
    option, equals, value = word.partition("=")
    if equals and named_files.named_file(value, home):
        return f"{option}={named_files.locate_files(value, home)}"
    return named_files.locate_files(word, home)


def _resolve_argument(word: str) -> str:
    option, equals, value = word.partition("=")
    return str(
        f"{option}={named_files.resolve_package_files(value)}"
        if equals
        else named_files.resolve_package_files(word)
    )


def _label_of_argument(word: str) -> str:
    option, equals, value = word.partition("=")
    if equals and named_files.named_file(value, Path()):
        return f"{option}={named_files.without_folders(value)}"
    return named_files.without_folders(word)


def _argument_as_digest(word: str, user: str) -> object:
    option, equals, value = word.partition("=")
    if equals and named_files.named_file(value, Path()):
        return [option, named_files.files_as_digests(value, user)]
    return named_files.files_as_digests(word, user)
