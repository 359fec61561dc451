"""Which line an error is said to come from."""

from __future__ import annotations

import json
import pickle
import runpy
from pathlib import Path

import pytest

from bench.core.raised_at import keep_raised_at, raised_at
from bench.core.schema import fill


def caught(function, *arguments):
    with pytest.raises(Exception) as info:  # noqa: PT011 (any)
        function(*arguments)
    return info.value


@pytest.fixture
def own(tmp_path):
    """Return a function that raises `statement` on line 3 of a file of one's own."""

    def run(statement, folder="."):
        file = tmp_path / folder / "mine.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"import json\n\n{statement}\n")
        return file, caught(runpy.run_path, str(file))

    return run


def test_the_innermost_line_of_an_own_file_is_named(own):
    _, error = own("raise ValueError('here')")
    assert raised_at(error) == "mine.py:3"
    _, error = own("json.loads('{')")
    assert isinstance(error, json.JSONDecodeError)
    assert raised_at(error) == "mine.py:3", "not the line in Python's own module"
    _, error = own("from bench.core.schema import fill; fill(int, {})")
    assert raised_at(error) == "mine.py:3", "not the line in bench that it called"


def test_a_package_that_is_installed_is_not_own_unless_it_is_said_to_be(own):
    file, error = own("raise ValueError('here')", "lib/site-packages/theirs")
    assert raised_at(error) != "mine.py:3"
    assert raised_at(error, [file]) == "mine.py:3"


def test_a_file_that_is_not_python_is_named_with_its_line(own):
    file, error = own("x = (")
    assert isinstance(error, SyntaxError)
    assert raised_at(error, [file]) == "mine.py:3"


def test_else_the_line_of_bench_is_named():
    error = caught(fill, int, {})
    error.with_traceback(error.__traceback__.tb_next)
    file, line = raised_at(error).split(":")
    assert (file, int(line) > 1) == ("bench/core/schema.py", True)
    assert raised_at(ValueError("never raised")) is None


def test_what_was_found_crosses_processes(own):
    _, error = own("raise ValueError('here')")
    keep_raised_at(error)
    there = pickle.loads(pickle.dumps(error.with_traceback(None)))  # noqa: S301 (it was made here)
    assert raised_at(there) == "mine.py:3"
    assert Path(__file__).name == raised_at(caught(lambda: 1 / 0)).split(":")[0]
