"""Suites as a table: what each lacks, what is left to run, and what that may cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.cli.render.descriptions import NO_ESTIMATE, NOTHING, needs_json
from bench.core.text_table import Style, Styled, Table

if TYPE_CHECKING:
    from bench.config.suite import SuiteTable
    from bench.trials.data_needs import DataNeed
    from bench.trials.readiness import Readiness

_COUNTED = ("tests", "models", "losses", "decoders", "recognizers", "seeds")
_STYLES: dict[str, Style] = {
    "done": "done",
    "ready": "running",
    "needs data": "stale",
    "cannot run": "failed",
}


def suite_list(tables: Mapping[str, SuiteTable], suites: Sequence[Readiness]) -> list[str | Table]:
    """List suites, below each what it lacks, then how data sets are prepared."""
    rows: list[list[str]] = []
    for each in suites:
        table = tables[each.suite]
        counts = {key: len(getattr(table, key)) for key in _COUNTED}
        counts["tests"] = counts["tests"] or len(table.datasets)
        state = Styled(each.state, _STYLES[each.state])
        rows.append([each.suite, state, _cost(each), *map(str, counts.values()), table.about])
        rows += [[""] * (len(_COUNTED) + 3) + [line] for line in _lacking(each)]
    headers = ["suite", "state", "cost", *_COUNTED, "about"]
    text: list[str | Table] = [Table(headers, rows, _COUNTED, _COUNTED)]
    if needs := [*dict.fromkeys(need for each in suites for need in each.needs)]:
        text += [_preparation(needs), "`bench data show NAME` says where to get a data set."]
    return text


def suites_json(
    tables: Mapping[str, SuiteTable], suites: Iterable[Readiness]
) -> dict[str, dict[str, Any]]:
    """Return suites as JSON values."""
    return {
        each.suite: {
            "about": tables[each.suite].about,
            "state": each.state,
            "missing": each.missing,
            "fault": each.fault,
            "needs": needs_json(each.needs),
            "unavailable": each.unavailable,
            "to_run": each.to_run,
            "core_seconds": each.cost and each.cost.cores,
            "gpu_seconds": each.cost and each.cost.gpus,
        }
        for each in suites
    }


def _preparation(needs: Iterable[DataNeed]) -> Table:
    """List data sets that are not prepared, with the command that prepares each."""
    return Table(["data", "run"], [[need.dataset, need.remedy] for need in needs])


def _cost(suite: Readiness) -> str:
    """Return what is left to run costs, in minutes of cores and GPUs."""
    if suite.state in {"done", "cannot run"}:
        return NOTHING
    if suite.cost is None or suite.needs:
        return NO_ESTIMATE
    gpus = f", {suite.cost.gpus / 60:.1f} GPU min" if suite.cost.gpus else ""
    return f"{suite.cost.cores / 60:.1f} core min{gpus}"


def _lacking(suite: Readiness) -> list[str]:
    """Return what a suite lacks, a line for each kind."""
    lines = []
    if suite.missing:
        names = ", ".join(name for names in suite.missing.values() for name in names)
        lines.append(f"cannot run yet: it needs {names}")
    if suite.fault:
        lines.append(f"cannot run: {suite.fault}")
    if suite.needs:
        lines.append(f"needs data: {', '.join(need.dataset for need in suite.needs)}")
    if suite.unavailable:
        names = ", ".join(suite.unavailable)
        lines.append(f"not installed: {names} (`bench status {suite.suite}` shows how)")
    return lines
