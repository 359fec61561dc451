"""Image-to-text models in the format of Hugging Face, from a local folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.components import Recognizer
from bench.core.errors import BenchError, one_line
from bench.core.local_paths import local_path
from bench.core.optional import Extra, import_extra, installed_version
from bench.core.printable import printable
from bench.core.recognition import Reading, TextReader, Workplace
from bench.core.schema import PositiveInt
from bench.recognizers.outside.named_files import folder_digests
from bench.recognizers.outside.reading_check import checked_reading

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample

_USER = "recognizer 'huggingface'"
_EXTRA: Extra = "huggingface"


@dataclass(frozen=True)
class HuggingFaceRecognizer(Recognizer):
    """An image-to-text model such as TrOCR, loaded by transformers from a local folder.

    Nothing is downloaded, and no code in the folder is executed: the architecture must be one of
    transformers. Weights must be safetensors, and are float32 in memory.

    Args:
        huggingface: The folder with `config.json`, weights, image processor and tokenizer, as
            written by `save_pretrained` or cloned from the repository of a model.
        max_new_tokens: The most tokens of a text. The default is enough for a line of text.
        num_beams: The number of beams of beam search; 1 is greedy decoding.
    """

    name: ClassVar[str] = "huggingface"

    huggingface: str
    max_new_tokens: PositiveInt = 64
    num_beams: PositiveInt = 1

    @property
    def label(self) -> str:
        """The name of the folder, and parameters that are not defaults, as boards print them."""
        values = self.changed() | {"huggingface": Path(self.huggingface).name}
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in values.items())})"

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with the absolute path of the folder, relative to `home`."""
        folder = parameters.get("huggingface")
        if not isinstance(folder, str):
            return parameters
        return parameters | {"huggingface": str((home / local_path(folder)).absolute())}

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, with the version of transformers.

        Raises:
            BenchError: The folder or transformers is missing.
        """
        parameters = {
            "huggingface": folder_digests(Path(self.huggingface), _USER),
            "max_new_tokens": self.max_new_tokens,
            "num_beams": self.num_beams,
        }
        package = {"transformers": installed_version("transformers", _EXTRA, _USER)}
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | {"package": package}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Load the model and yield a reader."""
        folder = Path(self.huggingface)
        if not (folder / "config.json").is_file():
            raise BenchError(
                f"{_USER}: the folder '{folder}' has no config.json; give a folder that was "
                "written by save_pretrained"
            )
        transformers = import_extra("transformers", _EXTRA, _USER)
        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        local = {"local_files_only": True, "trust_remote_code": False}
        try:
            processor = transformers.AutoProcessor.from_pretrained(folder, **local)
            model = transformers.AutoModelForImageTextToText.from_pretrained(
                folder, **local, use_safetensors=True, dtype="float32"
            )
        except (Exception, SystemExit) as error:
            raise BenchError(
                f"{_USER}: '{folder}' is not an image-to-text model that transformers can load "
                f"({printable(one_line(error))}); it needs config.json, safetensors, an image "
                "processor and a tokenizer"
            ) from error
        yield _HuggingFaceReader(self, processor, model.to(workplace.device).eval())


class _HuggingFaceReader(TextReader):
    """Generates the texts of a batch."""

    def __init__(
        self,
        recognizer: HuggingFaceRecognizer,
        processor: Any,  # noqa: ANN401 (transformers' classes depend on the model)
        model: Any,  # noqa: ANN401
    ) -> None:
        self._recognizer = recognizer
        self._processor = processor
        self._model = model

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return the decoded texts, without special tokens."""
        import torch

        images = [sample.pixels(3) for sample in samples]
        inputs = self._processor(images=images, return_tensors="pt").to(self._model.device)
        with torch.inference_mode():
            tokens = self._model.generate(
                **inputs,
                max_new_tokens=self._recognizer.max_new_tokens,
                num_beams=self._recognizer.num_beams,
                do_sample=False,
            )
        texts = self._processor.batch_decode(tokens, skip_special_tokens=True)
        return [
            checked_reading(text, sample.id, _USER)
            for text, sample in zip(texts, samples, strict=True)
        ]

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(parameter.numel() for parameter in self._model.parameters())
