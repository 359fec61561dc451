"""Checks of the current bench.toml: its suites and the data sets that they name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.cli.health.check import SUITE, Check
from bench.trials.readiness import readiness
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.trials.readiness import Readiness


def project_checks(config: Config) -> Iterator[Check]:
    """Yield a check of each suite, then one of each data set that suites name."""
    yield Check("bench.toml", "ok", str(config.path))
    suites = [*readiness(config, Store(config.results))]
    for each in suites:
        yield _suite(each)
    for name in dict.fromkeys(name for each in suites for name in each.prepared):
        yield Check(f"data {name}", "ok", "prepared")
    for need in dict.fromkeys(need for each in suites for need in each.needs):
        yield Check(f"data {need.dataset}", "warning", "not prepared", f"run: {need.remedy}")


def _suite(suite: Readiness) -> Check:
    name = f"{SUITE}{suite.suite}"
    if suite.missing:
        names = ", ".join(name for names in suite.missing.values() for name in names)
        return Check(name, "warning", f"names what there is not yet: {names}", "write or rename it")
    if suite.fault:
        return Check(name, "warning", suite.fault, "correct bench.toml")
    if suite.needs:
        needed = ", ".join(need.dataset for need in suite.needs)
        return Check(name, "warning", f"needs data: {needed}", "prepare them as below")
    if suite.unavailable:
        names = ", ".join(suite.unavailable)
        fix = f"`bench status {suite.suite}` shows how to install them"
        return Check(name, "note", f"{suite.state}, without {names}", fix)
    return Check(name, "ok", suite.state)
