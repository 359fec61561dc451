"""The verb `view`: boards in a browser, from this machine to itself."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from bench.cli.terminal import Load, say

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.leaderboards.web.site import Site


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="The port; 0 for a free one.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in your browser.")
@click.pass_obj
def view(load: Load, port: int, *, opens: bool) -> None:
    """Show boards in a browser.

    Serves the published boards, the working ones of the records at hand, and what is running now,
    from 127.0.0.1 until Ctrl-C. No other machine can read it, and the pages request nothing from
    elsewhere.
    """
    from bench.leaderboards.web.server import SiteServer

    config = load()
    live = _live_pages(config)
    with SiteServer(lambda: _site(config, live), port, live) as server, suppress(KeyboardInterrupt):
        click.echo(server.address)
        say("serves to this machine alone; Ctrl-C ends it")
        if opens:
            click.launch(server.address)
        server.serve_forever()


def _live_pages(config: Config) -> Site:
    from bench.leaderboards.web import running_page

    return {
        running_page.PAGE: running_page.running_page,
        running_page.DATA: partial(running_page.running_data, config.results),
    }


def _site(config: Config, live: Site) -> Site:
    from bench.leaderboards.web import boards_site
    from bench.trials.store import Store

    places, faults = boards_site.readable_boards(
        boards_site.all_board_folders(config.leaderboards, config.results)
    )
    return boards_site.boards_site(places, Store(config.results), live, faults)
