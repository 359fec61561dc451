"""The verbs of data sets."""

from __future__ import annotations

import click

from bench.cli.verbs.data_check import check
from bench.cli.verbs.data_fetch import fetch
from bench.cli.verbs.data_init import init
from bench.cli.verbs.data_prepare import prepare, verify
from bench.cli.verbs.data_show import show
from bench.cli.verbs.data_synth import synth


@click.group()
def data() -> None:
    """Declare, download, prepare, verify, check and show data sets, or render synthetic ones.

    `bench ls datasets` lists data sets. `bench docs datasets` explains how to get each of them,
    `bench docs own-data` how to use data of your own. Prepared data are in the folder `data` beside
    bench.toml, or in that of `bench --data`.
    """


for verb in (init, fetch, prepare, verify, check, show, synth):
    data.add_command(verb)
