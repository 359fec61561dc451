"""The verb `doctor`: whether bench can run here, and what to do where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from bench.cli.health.check import SUITE, Check
from bench.cli.terminal import Load, as_json_option, report
from bench.core.errors import BenchError, Exit
from bench.core.text_table import Style, Styled, Table

_STYLES: dict[str, Style] = {
    "ok": "done",
    "note": "note",
    "warning": "stale",
    "failed": "failed",
}


@click.command()
@as_json_option
@click.pass_obj
def doctor(load: Load, *, as_json: bool) -> int:
    """Check this machine, the libraries, and the current bench.toml, with a fix for each fault.

    Python, torch and CUDA, Ray, memory, disks, the temporary folder, limits of the system, optional
    extras, and what each suite lacks.

    The exit code is 0 where the suite `quick` can run, which needs no data, and 1 where a check has
    failed.
    """
    checks = [*_checks(load)]
    report([_table(checks), _summary(checks)], [asdict(check) for check in checks], as_json=as_json)
    return Exit.FAILED if any(check.state == "failed" for check in checks) else Exit.DONE


def _checks(load: Load) -> Iterator[Check]:
    from bench.cli.health.libraries import library_checks
    from bench.cli.health.machine import machine_checks
    from bench.cli.health.project import project_checks
    from bench.data.store import data_dir

    try:
        config = load()
    except BenchError as error:
        yield Check("bench.toml", "failed", str(error), "correct the file")
        yield from machine_checks(Path("results"), Path("data"))
        yield from library_checks()
        return
    yield from machine_checks(config.results, data_dir.data_folder())
    yield from library_checks()
    yield from project_checks(config)


def _table(checks: Sequence[Check]) -> Table:
    """List checks, each with what to do where something is."""
    rows = [
        [
            Styled(check.state, _STYLES[check.state]),
            check.name,
            f"{check.finding} → {check.fix}" if check.fix else check.finding,
        ]
        for check in checks
    ]
    return Table(["state", "check", "finding → what to do"], rows)


def _summary(checks: Sequence[Check]) -> str:
    if failed := [check.name for check in checks if check.state == "failed"]:
        return f"bench cannot run here yet: {', '.join(failed)}"
    ready = (check.name for check in checks if check.state == "ok")
    suite = next((name for name in ready if name.startswith(SUITE)), None)
    if suite is None:
        return "bench can run here; no suite is ready yet, see the warnings"
    return f"bench can run here: bench run {suite.removeprefix(SUITE)}"
