"""The workflow in docs/reference/board-formats.md: valid YAML, whose commands of bench exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import yaml

from bench import cli

PAGE = Path(__file__).parents[1] / "docs/reference/board-formats.md"


def test_the_workflow_runs_commands_that_exist_and_no_action_of_others():
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    workflow = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as true.
    assert workflow[True] == "pull_request"
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    steps = workflow["jobs"]["board"]["steps"]
    for step in steps:
        assert re.fullmatch(
            r"actions/(checkout|setup-python)@v\d+", step.get("uses", "actions/checkout@v1")
        )
    commands = [shlex.split(step["run"])[1:] for step in steps if "bench " in step.get("run", "")]
    assert len(commands) == 2
    for words in commands:
        context = cli.app.make_context("bench", [*words])
        while isinstance(context.command, cli.LazyGroup) or hasattr(context.command, "commands"):
            name, command, rest = context.command.resolve_command(
                context, [*context._protected_args, *context.args]
            )
            context = command.make_context(name, rest, parent=context)
    assert (context.params["document"], context.params["fail_on"]) == ("md", "regress")
