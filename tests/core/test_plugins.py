"""Components of one's own in single files: found, refused, and part of keys."""

from __future__ import annotations

import json
import os
import pickle
import secrets
import subprocess
import sys
from hashlib import sha256

import pytest
from plugins import LOSS, METRIC

from bench.core import plugin_files, registry
from bench.core.errors import BenchError
from bench.core.plugin_files import set_plugins
from bench.evaluation.metrics import metric


@pytest.fixture(autouse=True)
def no_plugins(monkeypatch):
    """Begin and end without plug-ins."""
    monkeypatch.delenv(plugin_files.VARIABLE, raising=False)
    yield
    set_plugins([])


@pytest.fixture
def plug(tmp_path):
    """Return a function that writes a plug-in and returns its file."""

    def write(name="my_loss.py", text=LOSS, folder="."):
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    return write


def made():
    return registry.make("loss", "my-loss", {})


def test_a_component_is_found_beside_those_of_bench(plug):
    file = plug()
    set_plugins([file])
    assert made().label == "my-loss"
    assert type(made()).__module__ == "bench.plugins.my_loss"
    assert {*registry.everything("loss")} > {"ctc", "my-loss"}
    assert "my-loss" not in registry.everything("model")
    digest = sha256(file.read_bytes()).hexdigest()
    assert made().spec()["source"] == {"file": "my_loss.py", "sha256": digest}
    set_plugins([])
    with pytest.raises(BenchError, match=r"no loss 'my-loss'.*list its file in `plugins` of"):
        made()


def test_an_edit_is_another_key_and_another_folder_is_not(plug):
    set_plugins([plug(folder="a")])
    first = made().spec()
    set_plugins([plug(folder="b")])
    assert made().spec() == first
    file = plug(folder="b", text=LOSS.replace("times a factor", "times a number"))
    assert made().spec() == first, "what was read runs, not what was edited since"
    set_plugins([file])
    assert made().spec() != first
    assert type(made()).summary() == "CTC, times a number."


def test_a_new_process_imports_what_this_one_has_read(plug):
    file = plug("my-loss.py")
    set_plugins([file])
    pickled, spec = pickle.dumps(made()), made().spec()
    file.unlink()
    program = "import json, pickle, sys; print(json.dumps(pickle.load(sys.stdin.buffer).spec()))"
    answer = subprocess.run([sys.executable, "-c", program], input=pickled, capture_output=True)
    assert json.loads(answer.stdout) == spec, answer.stderr


def test_one_that_cannot_be_imported_leaves_the_others_usable(plug):
    broken = plug("broken.py", "import sys\n\nimport nowhere\n")
    wrong = plug("wrong.py", "x = 1\nclass A(:\n")
    set_plugins([broken, wrong, plug()])
    assert made().factor == 1.0
    faults = registry.plugin_faults()
    assert [
        f"plug-in {each} cannot be imported" in fault
        for each, fault in zip((broken, wrong), faults, strict=True)
    ] == [True, True]
    assert "No module named 'nowhere', at broken.py:3)" in faults[0]
    assert "at wrong.py:2)" in faults[1]
    with pytest.raises(BenchError, match=r"no loss 'other'.*broken.py cannot be imported"):
        registry.find("loss", "other")


@pytest.mark.parametrize("name", ["a b", "<b>", "a|b", "../a", "", "a" * 300])
def test_a_name_that_cannot_stand_in_paths_and_tables_is_refused(plug, name):
    set_plugins([plug(text=LOSS.replace('"my-loss"', repr(name)))])
    assert name not in registry.everything("loss")
    [fault] = registry.plugin_faults()
    assert "is not a valid name of a loss" in fault
    assert "my_loss.py: '" in fault
    set_plugins([plug(text=METRIC.replace('name = "', f'name = "{name} '))])
    assert "is not a valid name of a metric" in metric.plugin_faults()[0]


def test_a_plugin_that_is_not_a_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(BenchError, match=r"pipe.py' cannot be read \(a named pipe"):
        set_plugins([tmp_path / "pipe.py"])


def test_a_name_of_bench_is_refused_with_both_files(plug):
    file = plug(text=LOSS.replace('"my-loss"', '"ctc"'))
    set_plugins([file])
    with pytest.raises(BenchError) as caught:
        registry.find("loss", "ctc")
    assert str(caught.value) == (
        f"loss 'ctc' of {file} has the name of one in bench/losses/ctc.py; rename it, or remove it "
        "from the list"
    )
    assert "ctc" not in registry.everything("loss")
    assert registry.find("loss", "ce").name == "ce"


def test_a_name_of_another_plugin_is_refused_with_both_files(plug):
    one, two = plug("one.py"), plug("two.py")
    set_plugins([one, two])
    with pytest.raises(BenchError, match=f"'my-loss' of {two} has the name of one in {one}"):
        made()


def test_files_of_one_name_are_refused(plug):
    with pytest.raises(BenchError, match=r"a/my_loss\.py and .*b/my-loss\.py have the same name"):
        set_plugins([plug(folder="a"), plug("my-loss.py", folder="b")])


def test_a_file_listed_twice_counts_once(plug, tmp_path):
    file = plug()
    set_plugins([file, tmp_path / ".." / tmp_path.name / "my_loss.py"])
    assert [each.path for each in plugin_files.plugin_files()] == [str(file)]


NAME = '    name: ClassVar[str] = "half"\n\n'
OBJECTIVE = "    def objective(self, head, features, targets): ...\n"
HALF = f"""\
from typing import ClassVar

from bench.losses.base import FrameLoss


class Half(FrameLoss):
{NAME}{OBJECTIVE}"""


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (OBJECTIVE, "loss 'half' does not define objective"),
        (NAME, "loss Half has no name; add one to the class"),
    ],
)
def test_a_class_that_is_not_whole_is_said(plug, part, fault):
    file = plug("half.py", HALF)
    set_plugins([file])
    assert registry.plugin_faults() == []
    assert registry.find("loss", "half").name == "half"
    set_plugins([plug("half.py", HALF.replace(part, ""))])
    (said,) = registry.plugin_faults()
    assert said.startswith(f"plug-in {file}: {fault}")
    assert "half" not in registry.everything("loss")


def test_a_metric_is_found_and_its_name_refused_where_it_is_taken(plug):
    set_plugins([plug("last.py", METRIC)])
    assert metric.find_metric("last-unit").spec()["source"]["file"] == "last.py"
    assert "last-unit" in metric.all_metrics()
    file = plug("last.py", METRIC.replace("last-unit", "cer"))
    set_plugins([file])
    with pytest.raises(BenchError, match=f"metric 'cer' of {file} has the name of one in bench/"):
        metric.find_metric("cer")
    assert len(metric.plugin_faults()) == 1
    with pytest.raises(BenchError, match=r"no metric 'last-unit'.*pass --plugin FILE"):
        metric.find_metric("last-unit")


def test_what_is_not_a_file_of_python_is_refused(plug, tmp_path):
    with pytest.raises(BenchError, match=r"nowhere\.py' does not exist"):
        set_plugins([tmp_path / "nowhere.py"])
    with pytest.raises(BenchError, match=r"its name has to end with \.py"):
        set_plugins([plug("words.txt")])
    folder = tmp_path / "folder.py"
    folder.mkdir()
    with pytest.raises(BenchError, match=r"folder\.py' cannot be read \(Is a directory\)"):
        set_plugins([folder])


def test_plugins_too_large_for_the_environment_are_refused(plug):
    with pytest.raises(BenchError, match=r"together too large.*move their data"):
        set_plugins([plug(text=f"WORDS = {secrets.token_bytes(2**17)!r}\n")])
