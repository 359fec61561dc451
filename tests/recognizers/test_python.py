"""Python classes as recognizers: their arguments, results and faults."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import click.core
import pytest

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.recognition import Reading
from bench.core.schema import SchemaError
from bench.data.reading.encoded_samples import EncodedSample

WIDTHS = """\
class Reader:
    alphabet = "0123456789"
    parameters = 7

    def __init__(self, prefix="", device="", threads=0):
        self.prefix = f"{prefix}{device}{threads}:"

    def read(self, images):
        assert all(image.dtype == "uint8" and image.ndim == 3 for image in images)
        return [self.prefix + str(image.shape[1]) for image in images]
"""


@pytest.fixture
def make(tmp_path):
    """Return a function that writes a source file and returns the recognizer of its class."""

    def make(source=WIDTHS, target="my_reader.py:Reader", **parameters):
        (tmp_path / "my_reader.py").write_text(source)
        kind = registry.find("recognizer", "python")
        table = {"python": target, **parameters}
        return registry.make("recognizer", "python", kind.located(table, tmp_path))

    return make


def method(body: str) -> str:
    return f"class Reader:\n    def read(self, images):\n        {body}\n"


def test_a_class_reads_pixels_with_its_parameters_device_and_threads(make, reading, samples):
    with reading(make(parameters={"prefix": "w"})) as reader:
        assert [r.text for r in reader.read(samples[:2])] == ["wcpu2:10", "wcpu2:11"]
        assert [r.text for r in reader.read(samples[4:])] == ["wcpu2:14"]
        assert reader.parameters == 7
        assert reader.alphabet == frozenset("0123456789")


def test_a_broken_image_is_named(make, reading):
    with (
        reading(make()) as reader,
        pytest.raises(BenchError, match="sample 'test/7' is an image that cannot be decoded"),
    ):
        reader.read([EncodedSample("test/7", (b"no image",))])


def test_a_probability_that_was_rounded_up_is_one(make, reading, samples):
    source = "from bench.core.recognition import Reading\n" + method(
        "return [Reading('a', 1 + 1e-7)]"
    )
    with reading(make(source)) as reader:
        assert reader.read(samples[:1]) == [Reading("a", 1.0)]


def test_values_of_readings_and_control_characters_are_kept(make, reading, samples):
    source = "from bench.core.recognition import Reading\n" + method(
        "return [Reading('a\\x1b[2J', 0.5, 0.1, remark='slow'), 'b\\ud800']"
    )
    with reading(make(source)) as reader:
        first, second = reader.read(samples[:2])
        assert reader.parameters is None
        assert reader.alphabet is None
    assert first == Reading("a\x1b[2J", 0.5, 0.1, remark="slow")
    assert second == Reading("b\N{REPLACEMENT CHARACTER}", remark="characters that are not Unicode")


def test_remarks_are_unicode(make, reading, samples):
    source = "from bench.core.recognition import Reading\n" + method(
        "return [Reading('a', remark='\\ud800')]"
    )
    with reading(make(source)) as reader:
        assert reader.read(samples[:1])[0].remark == "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("count", ["-5", "10**40", "True", "'many'"])
def test_an_invalid_number_of_weights_is_unknown(make, reading, count):
    source = WIDTHS.replace("parameters = 7", f"parameters = {count}")
    with reading(make(source)) as reader:
        assert reader.parameters is None


def test_an_alphabet_is_of_characters(make, reading):
    with reading(make(WIDTHS.replace('"0123456789"', '"a\\ud800"'))) as reader:
        assert reader.alphabet == frozenset("a")
    wrong = (
        ("5", "Reader.alphabet is of type int; make it a text"),
        ("property(lambda self: 1 / 0)", "alphabet cannot be read: my_reader.py:2: ZeroDivision"),
    )
    for alphabet, sentence in wrong:
        source = WIDTHS.replace('"0123456789"', alphabet)
        with reading(make(source)) as reader, pytest.raises(BenchError, match=sentence):
            _ = reader.alphabet


def test_a_class_may_change_sys_path(make, reading, samples):
    source = method("import sys; sys.path[:] = sys.path[1:]; return ['a']")
    before = [*sys.path]
    with reading(make(source)) as reader:
        assert reader.read(samples[:1]) == [Reading("a")]
    assert sys.path == before


def test_the_key_of_an_installed_module_has_only_that_module(make):
    source = make(target="typing_extensions:Protocol").spec()["source"]
    assert [*source] == ["typing_extensions.py"]


def test_its_label_has_the_class_and_its_parameters(make, tmp_path):
    (tmp_path / "w.bin").write_bytes(b"1")
    parameters = {"weights": "w.bin", "wide": True}
    assert (
        make(parameters=parameters).label == "python(my_reader.py:Reader, weights=w.bin, wide=true)"
    )


def test_a_class_is_closed_at_the_end(make, reading, tmp_path):
    source = method("return []") + (
        "    def close(self):\n        open(__file__ + '.closed', 'w').close()\n"
    )
    with reading(make(source)):
        assert not (tmp_path / "my_reader.py.closed").exists()
    assert (tmp_path / "my_reader.py.closed").exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return ['a']", "Reader.read returned 1 texts for 2 images; return one per image"),
        ("return 'ab'", "Reader.read returned a value of type str; return a list"),
        ("return (x for x in 'ab')", "a value of type generator; return a list"),
        ("return ['a', None]", "returned None for sample 'test/1'; return a text"),
        ("return ['a', 3]", "returned a value of type int for sample 'test/1'"),
        (
            "raise ValueError('no\\x1b[2J room')",
            r"failed on 2 images from 'test/0': my_reader.py:3: ValueError: no\\x1b\[2J room",
        ),
        ("raise SystemExit(3)", "my_reader.py:3: SystemExit: 3"),
        ("raise BaseException('a panic')", "my_reader.py:3: BaseException: a panic"),
        ("raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})", "message cannot be"),
        (
            "from bench.core.recognition import Reading; return [Reading('a', remark=7)] * 2",
            "a remark of type int for sample 'test/0'",
        ),
        ("import json; return json.loads('{')", "my_reader.py:3: JSONDecodeError: Expecting"),
        (
            "from bench.core.recognition import Reading; return [Reading('a', 97.3)] * 2",
            "confidence = '97.3' for sample 'test/0'; return a number between 0 and 1",
        ),
    ],
)
def test_faults_of_read_are_an_error(make, reading, samples, body, sentence):
    with reading(make(method(body))) as reader, pytest.raises(BenchError, match=sentence):
        reader.read(samples[:2])


@pytest.mark.parametrize(
    ("source", "parameters", "sentence"),
    [
        ("import no_such_package\n", {}, "my_reader.py:1: ModuleNotFoundError: No module named"),
        ("x = 1\ny = (\n", {}, r"cannot be imported: my_reader.py:2: SyntaxError: '\(' was never"),
        ("raise SystemExit\n", {}, "my_reader.py:1: SystemExit"),
        ("x = '\0'\n", {}, "cannot be imported: my_reader.py: SyntaxError: source code"),
        ("class Raeder: ...\n", {}, "has no class 'Reader'; did you mean 'Raeder'?"),
        ("class Reader: ...\n", {}, "has no method 'read'; add read"),
        (WIDTHS, {"prefx": "w"}, "has no parameter 'prefx'; did you mean 'prefix'?"),
        (method("return []"), {"x": 1}, "has no parameter 'x'; it takes none"),
        (
            "class Reader:\n    def __init__(self, size): ...\n    def read(self, images): ...\n",
            {},
            "missing a required argument: 'size'; set it in parameters",
        ),
        (
            "class Reader:\n    def __init__(self):\n        1 / 0\n    def read(self, i): ...\n",
            {},
            "cannot be constructed: my_reader.py:3: ZeroDivisionError: division by zero",
        ),
    ],
)
def test_faults_of_import_and_construction_are_an_error(
    make, reading, source, parameters, sentence
):
    recognizer = make(source, parameters=parameters)
    with pytest.raises(BenchError, match=sentence), reading(recognizer):
        pass


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("none.py:Reader", "none.py' of recognizer 'python' does not exist; give the path"),
        ("no_such_package.module:Reader", "there is no module 'no_such_package'; install"),
        ("json.no_such:Reader", "there is no module 'json.no_such'"),
        ("math:Reader", "has no source file|there is no module 'math'"),
    ],
)
def test_a_missing_class_is_an_error(make, reading, target, sentence):
    recognizer = make(target=target)
    for ask in (recognizer.spec, lambda: reading(recognizer).__enter__()):
        with pytest.raises(BenchError, match=sentence):
            ask()


@pytest.mark.parametrize("target", ["my_reader.py", "my_reader.py:", ":Reader", "my_reader.py:a b"])
def test_a_value_that_names_no_class_is_an_error(make, target):
    with pytest.raises(BenchError, match=r"does not name a class; write \"my_reader.py:Reader\""):
        make(target=target)


def test_parameters_are_a_table_of_plain_values(make):
    with pytest.raises(SchemaError, match="'parameters': write a table"):
        make(parameters=[1])
    with pytest.raises(SchemaError, match="nan is not a text, a finite number"):
        make(parameters={"a": [float("nan")]})
    assert len({make(parameters={"a": 1}), make(parameters={"a": 1}), make()}) == 2


def test_the_key_has_sources_and_files_but_no_folders(make, tmp_path):
    (tmp_path / "net.py").write_text("import deep.layers\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/__init__.py").write_text("")
    (tmp_path / "deep/layers.py").write_text("")
    (tmp_path / "unused.py").write_text("")
    (tmp_path / "w.bin").write_bytes(b"1")
    source = f"from net import x\n{WIDTHS}"
    recognizer = make(source, parameters={"weights": "w.bin", "size": 3}, files=["w.bin"])
    spec = recognizer.spec()
    file = {"file": "w.bin", "sha256": sha256(b"1").hexdigest()}
    assert spec["parameters"] == {
        "python": "my_reader.py:Reader",
        "parameters": {"weights": file, "size": 3},
        "files": [file],
    }
    assert [*spec["source"]] == ["my_reader.py", "net.py", "deep/__init__.py", "deep/layers.py"]
    assert spec["source"]["my_reader.py"] == sha256(source.encode()).hexdigest()
    assert str(tmp_path) not in str(spec)
    (tmp_path / "deep/layers.py").write_text("edited = 1\n")
    assert recognizer.spec() != spec


def test_a_missing_file_of_files_is_an_error(make):
    with pytest.raises(BenchError, match="of files of recognizer 'python' does not exist"):
        make(files=["none.bin"])


def test_modules_in_the_folder_of_the_file_are_imported(tmp_path, reading, samples):
    kind = registry.find("recognizer", "python")
    for name in ("file", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "beside.py").write_text(f"TEXT = '{name}'\n")
        (tmp_path / name / "r.py").write_text(
            "import beside\n" + method("return [beside.TEXT for image in images]")
        )
        table = kind.located({"python": f"{name}/r.py:Reader"}, tmp_path)
        with reading(registry.make("recognizer", "python", table)) as reader:
            assert [r.text for r in reader.read(samples[:1])] == [name]
    assert "beside" not in sys.modules


def test_the_key_of_a_class_of_a_package_has_all_modules_of_the_package(
    make, reading, samples, tmp_path, monkeypatch
):
    package = tmp_path / "site" / "my_package_of_readers"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner/__init__.py").write_text("")
    (package / "inner/widths.py").write_text(WIDTHS)
    (package / "other.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site")
    recognizer = make(target="my_package_of_readers.inner.widths:Reader")
    files = ["__init__.py", "inner/__init__.py", "inner/widths.py", "other.py"]
    assert [*recognizer.spec()["source"]] == files
    assert "my_package_of_readers" not in sys.modules
    with reading(recognizer) as reader:
        assert [r.text for r in reader.read(samples[:1])] == ["cpu2:10"]


def test_a_file_of_a_package_is_resolved_at_construction(make, reading, samples):
    source = (
        "from pathlib import Path\nclass Reader:\n"
        "    def __init__(self, file):\n        self.size = len(Path(file).read_text())\n"
        "    def read(self, images):\n        return [str(self.size) for image in images]\n"
    )
    name = "package:click/click/core.py"
    recognizer = make(source, parameters={"file": name}, files=[name])
    assert recognizer.parameters == {"file": name}
    digest = recognizer.spec()["parameters"]["files"][0]["sha256"]
    assert digest == sha256(Path(click.core.__file__).read_bytes()).hexdigest()
    with reading(recognizer) as reader:
        size = len(Path(click.core.__file__).read_text())
        assert [r.text for r in reader.read(samples[:1])] == [str(size)]
    with pytest.raises(BenchError, match=r"has no file 'none\.py'"):
        make(source, parameters={"file": "package:click/none.py"}).spec()
