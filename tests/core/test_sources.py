"""Source files of components from outside bench: an edit makes another component."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.sources import outside_source, source_spec

SOURCE = '''\
from dataclasses import dataclass

from bench.losses.ctc import CTC


@dataclass(frozen=True)
class Mine(CTC):
    """A loss of another package."""

    name = "mine"
'''


@pytest.mark.parametrize("kind", ["dataset", "model", "loss", "decoder"])
def test_components_of_bench_have_no_source_in_their_keys(kind):
    for component in registry.builtin(kind).values():
        assert outside_source(component) is None
        assert source_spec(component) == {}


def spec(folder: Path) -> dict:
    """Return the spec of `Mine` in the module `mine` of `folder`, in a process of its own."""
    program = "import json; from mine import Mine; print(json.dumps(Mine().spec()))"
    answer = subprocess.run(
        [sys.executable, "-B", "-c", f"import sys; sys.path.insert(0, {str(folder)!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def test_an_edited_file_changes_the_spec_and_the_folder_does_not(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "mine.py").write_text(SOURCE)
    before = spec(first)
    digest = sha256(SOURCE.encode()).hexdigest()
    assert before["source"] == {"file": "mine.py", "sha256": digest}
    assert spec(second) == before
    (second / "mine.py").write_text(SOURCE + "# changed\n")
    assert spec(second)["source"]["sha256"] != digest


def test_a_class_without_a_file_is_refused():
    made = type("Made", (), {"__module__": "__main__ of nowhere"})
    with pytest.raises(BenchError, match="'Made' has no source file"):
        outside_source(made)
