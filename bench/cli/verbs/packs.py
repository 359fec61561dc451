"""The verbs `pack` and `accept`: exchange results as one file."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, as_json_option, report, say, say_faults, suite_argument
from bench.core.printable import printable


@click.command()
@suite_argument
@click.option(
    "--row",
    "rows",
    multiple=True,
    metavar="GLOB",
    help="Pack only rows of the board whose label matches this glob.",
)
@click.option("--out", type=LOCAL_PATH, help="The file to write. [default: SUITE.pack]")
@click.option("--by", default="", help="The name of who ran the tasks, as boards print it.")
@click.option("--weights", is_flag=True, help="Also pack the weights of trainings.")
@as_json_option
@click.pass_obj
def pack(
    load: Load,
    suite: str,
    rows: tuple[str, ...],
    out: Path | None,
    by: str,
    *,
    weights: bool,
    as_json: bool,
) -> None:
    """Pack records and predictions of SUITE into one file, for `bench accept` elsewhere.

    SUITE is the only one of bench.toml, or `quick`, unless named. Records and predictions are
    verified first. The same results give the same bytes. leaderboards/CONTRIBUTING.md explains how
    to contribute results.
    """
    from bench.core.documents import write_bytes
    from bench.packs import pack_file, packing

    file = out or Path(f"{suite}.pack")
    pack_file.check_replaceable(file)
    packed = packing.pack_suite(load(), suite, rows, by=by, weights=weights)
    digest = write_bytes(file, packed.content)
    for label, (done, lacking) in packed.rows.items():
        state = f"{done} evaluation{'s' * (done != 1)}"
        say(f"{label}: {state}{f', {lacking} not done' if lacking else ''}")
    if not by:
        say("nobody is named as who ran the tasks; add --by NAME, here or in `bench accept`")
    data = {
        "file": str(file),
        "sha256": digest,
        "rows": {label: done for label, (done, _) in packed.rows.items()},
        "weights": packed.weights,
    }
    report(
        f"{file}: {len(packed.content) / 2**20:.1f} MiB, SHA-256 {digest}", data, as_json=as_json
    )


@click.command()
@click.argument("file", type=LOCAL_PATH)
@click.option(
    "--by", default="", help="The name of who ran the tasks, if the pack does not have it."
)
@as_json_option
@click.pass_obj
def accept(load: Load, file: Path, by: str, *, as_json: bool) -> int:
    """Check FILE, a pack that others have made, and add its rows to the results.

    The suite has to be in bench.toml and its data prepared: keys, sources, fingerprints and samples
    are compared with them, and each prediction is scored again. If anything differs, each
    difference is reported, nothing is added, and the exit code is 5. Existing results are kept.
    Boards and `bench show` name who ran the accepted rows.
    """
    from bench.packs import accepting, pack_file

    config = load()
    accepted = accepting.accept_pack(config, pack_file.read_pack(file), by)
    for note in accepted.notes:
        say(printable(note))
    code = say_faults(accepted.faults)
    report(accepting.accepted_text(accepted), accepted, as_json=as_json)
    return code
