"""Help pages: nothing is cut, no line is too long, exit codes are listed once."""

from __future__ import annotations

import click
import pytest

from bench import cli


def commands(group=cli.app, words=()):
    """Yield the words of every command."""
    yield words
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name)


@pytest.mark.parametrize("words", [*commands()], ids=" ".join)
def test_help_fits_80_columns_and_cuts_nothing(bench, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    answer = bench(*words, "--help")
    assert answer.code == 0
    _usage, _, text = answer.out.partition("\n\n")
    assert "..." not in text
    assert max(map(len, answer.out.splitlines())) <= 80
    assert ("130  interrupted" in text) == (not words)
    assert ("`bench --help` lists the exit codes." in text) == bool(words)


@pytest.mark.parametrize("words", [("data",), ("board",)], ids=" ".join)
def test_a_group_has_the_first_sentence_of_each_command_whole(bench, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "80")
    text = " ".join(bench(*words, "--help").out.split())
    group = cli.app.get_command(None, words[0])
    for command in group.commands.values():
        assert " ".join(command.help.split("\n\n")[0].split()) in text


def test_no_option_is_broken_at_its_hyphens(bench, monkeypatch):
    for columns in range(52, 80):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = bench("run", "--help").out.splitlines()
        assert not [line for line in lines if line.endswith("-")]


def test_a_usage_error_names_the_verb_and_what_may_be_meant(bench):
    answer = bench("ls", "modles")
    assert answer.code == 2
    assert "[WHAT]" in answer.err
    assert "'models'" in answer.err
