"""The verbs `pack` and `accept`: results in one file, and what others have packed."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, as_json_option, report, say, say_faults, suite_argument
from bench.core.printable import printable


@click.command()
@suite_argument
@click.option("--row", "rows", multiple=True, help="Only rows whose label matches this glob.")
@click.option("--out", type=LOCAL_PATH, help="The file; else SUITE.pack in this folder.")
@click.option("--by", default="", help="Who ran them, as boards should print it.")
@click.option("--weights", is_flag=True, help="Pack the weights of trainings too.")
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
    """Write records and predictions of SUITE to one file, for `bench accept` in another checkout.

    All of it is verified first. A label is what the board calls a row. The same results give the
    same bytes. leaderboards/CONTRIBUTING.md says how to contribute them.
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
        say("nobody is named as who ran them; --by NAME does, or the one who accepts the pack")
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
@click.option("--by", default="", help="Who ran its rows, where the pack does not say so.")
@as_json_option
@click.pass_obj
def accept(load: Load, file: Path, by: str, *, as_json: bool) -> int:
    """Check the pack FILE of others, and add its rows to the results here.

    Keys, sources, fingerprints and samples have to be those of the same suite here, for which its
    data have to be prepared; every prediction is scored again. Where anything differs, each
    difference is named, nothing is added, and the exit code is 5. Results that are here already
    stay. Boards and `bench show` name who ran what was accepted.
    """
    from bench.packs import accepting, pack_file

    config = load()
    accepted = accepting.accept_pack(config, pack_file.read_pack(file), by)
    for note in accepted.notes:
        say(printable(note))
    code = say_faults(accepted.faults)
    report(accepting.accepted_text(accepted), accepted, as_json=as_json)
    return code
