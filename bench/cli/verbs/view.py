"""The verb `view`: boards in a browser, served to this machine only."""

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
    help="The port; 0 chooses a free one.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in your browser.")
@click.pass_obj
def view(load: Load, port: int, *, opens: bool) -> None:
    """Show boards in a browser.

    Serves published boards, working boards and running tasks at 127.0.0.1 until Ctrl-C. Other
    machines cannot connect, and the pages load nothing from other servers. See `bench docs boards`.
    """
    from bench.leaderboards.web.server import SiteServer

    config = load()
    live = _live_pages(config)
    with SiteServer(lambda: _site(config, live), port, live) as server, suppress(KeyboardInterrupt):
        click.echo(server.address)
        say("served to this machine only; stop with Ctrl-C")
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

    folders, faults = boards_site.readable_boards(
        boards_site.all_board_folders(config.leaderboards, config.results)
    )
    return boards_site.boards_site(folders, Store(config.results), live, faults)
