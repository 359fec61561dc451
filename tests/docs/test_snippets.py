"""Every code block of the pages is run, parsed or marked with what it needs."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import click
import pytest
import tomlkit
import yaml

from bench.cli import app
from bench.config import bench_toml
from bench.core import plugin_files
from bench.evaluation.metrics import metric

from .snippets import ROOT, SHELLS, blocks, commands, inline_commands, pages

BLOCKS = [block for page in pages() for block in blocks(page)]
# Output, and files whose readers have tests of their own.
SHOWN = {"text", "csv", "xml", "html", "markdown"}
TABLES = {"suite", "recipe", "dataset", "protocol", "plugins"}


def pages_with(**values):
    """Return the pages with a block of these values."""
    return sorted(
        {
            block.page
            for block in BLOCKS
            if all(getattr(block, name) == value for name, value in values.items())
        }
    )


@pytest.mark.parametrize("page", pages())
def test_every_block_has_a_language_and_every_fence_is_read(page):
    read = list(blocks(page))
    known = {"python", "toml", "json", "yaml", *SHELLS, *SHOWN}
    assert [each.name for each in read if each.language not in known] == []
    fences = sum(
        line.lstrip().startswith("```")
        for line in (ROOT / page).read_text(encoding="utf-8").splitlines()
    )
    assert fences == 2 * len(read), (
        f"{page}: a block is indented or marked in a way that is not read"
    )


def test_json_and_yaml_can_be_parsed():
    for block in BLOCKS:
        if block.language == "json":
            json.loads(block.code)
        if block.language == "yaml":
            yaml.safe_load(block.code)


def content(page, name):
    """Return the content of a file that a page names: of a module, its code on the page."""
    code = [block.code for block in blocks(page) if block.language == "python"]
    return "\n".join(code) if name.endswith(".py") else "abc\n"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] if page in pages_with(mark="slow") else [])
        for page in pages_with(language="python")
    ],
)
def test_python_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    # The folder is that of a clone to a reader; what a page writes goes to another one.
    (tmp_path / "leaderboards").symlink_to(ROOT / "leaderboards")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(metric, "_registered", dict(metric._registered))
    # The source of a component is part of its key, so the module is a file.
    module = ModuleType("snippet_of_a_page")
    module.__file__ = str(tmp_path / "snippet_of_a_page.py")
    Path(module.__file__).write_text(content(page, module.__file__), encoding="utf-8")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in blocks(page):
        if block.language == "python":
            above = "\n" * (block.line - 1)
            code = compile(above + block.code, str(ROOT / page), "exec")
            if not block.mark.startswith("needs: "):
                exec(code, vars(module))  # noqa: S102 (a page of this repository)


def joined(document, block):
    """Return a document with the tables of a block added to its own."""
    merged = {**document}
    for key, value in block.items():
        tables = isinstance(value, dict) and isinstance(document.get(key), dict)
        merged[key] = joined(document[key], value) if tables else value
    return merged


@pytest.mark.parametrize("page", pages_with(language="toml"))
def test_toml_is_valid_and_suites_load_beside_those_of_bench(page, tmp_path):
    document = tomllib.loads((ROOT / "bench.toml").read_text(encoding="utf-8"))
    listed = []
    for block in blocks(page):
        if block.language != "toml":
            continue
        tables = tomllib.loads(block.code)
        if block.mark.startswith("needs: ") or not TABLES & tables.keys():
            continue
        for name in block.mark.removeprefix("files: ").split():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content(page, name), encoding="utf-8")
        document = joined(document, tables)
        listed += tables.get("suite", {})
    for name in listed:
        # A page may show some keys of a suite alone.
        if not {"protocol", "extends"} & document["suite"][name].keys():
            document["suite"][name]["extends"] = "quick"
    file = tmp_path / "bench.toml"
    file.write_text(tomlkit.dumps(document), encoding="utf-8")
    try:
        config = bench_toml.load(file)
        for name in listed:
            config.suite(name)
    finally:
        plugin_files.set_plugins([])


def parse(arguments):
    """Have click parse a command line, as far as it does without running it."""
    context = app.make_context("bench", [*arguments])
    with context:
        while isinstance(group := context.command, click.Group):
            words = [*context._protected_args, *context.args]
            name, command, rest = group.resolve_command(context, words)
            context = context.with_resource(command.make_context(name, rest, parent=context))


@pytest.mark.parametrize("page", pages_with(has_commands=True))
def test_click_parses_the_commands_of_blocks(page):
    for block in blocks(page):
        for arguments in commands(block) if block.has_commands else ():
            try:
                parse(arguments)
            except click.ClickException as error:
                line = " ".join(arguments)
                pytest.fail(f"{block.name}: bench {line}: {error.format_message()}")
            except click.exceptions.Exit:
                assert {"--help", "-h", "--version"} & {*arguments}


def missing_word(arguments):
    """Return the first verb or option that bench does not have, None where it has all."""
    command, context, names = app, click.Context(app), {"-h", "--help"}
    for word in arguments:
        if isinstance(command, click.Group) and not word.startswith("-") and not word.isupper():
            below = command.get_command(context, word)
            if below is None and command is app:
                return word
            command = below or command
    for each in (app, command, *getattr(command, "commands", {}).values()):
        names |= {name for option in each.params for name in option.opts + option.secondary_opts}
    options = (word.partition("=")[0] for word in arguments if word.startswith("-"))
    return next((word for word in options if word not in names), None)


@pytest.mark.parametrize("page", sorted({*pages()} - {"CHANGELOG.md"}))
def test_commands_in_prose_have_verbs_and_options_of_bench(page):
    for arguments in inline_commands(page):
        assert missing_word(arguments) is None, f"{page}: bench {' '.join(arguments)}"


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with(mark="run"))
def test_marked_commands_run(page, tmp_path):
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    for block in blocks(page):
        if block.mark == "run":
            script = ["bash", "-euo", "pipefail", "-c", block.code]
            ended = subprocess.run(
                script, cwd=tmp_path, env=environment, capture_output=True, text=True
            )
            assert ended.returncode == 0, f"{block.name}: {ended.stderr[-2000:]}"
