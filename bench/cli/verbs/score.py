"""The verb `score`."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, as_json_option, report


@click.command()
@click.argument("reference", type=LOCAL_PATH)
@click.argument("hypothesis", type=LOCAL_PATH)
@click.option(
    "--protocol",
    "name",
    required=True,
    help="A protocol of bench or of bench.toml; a wrong name lists them.",
)
@click.option("--ids", is_flag=True, help="Lines are an id, a tab and a text, in any order.")
@as_json_option
@click.pass_obj
def score(
    load: Load, reference: Path, hypothesis: Path, name: str, *, ids: bool, as_json: bool
) -> None:
    """Score the texts of HYPOTHESIS against those of REFERENCE under a protocol.

    Both are UTF-8: line n of one is compared with line n of the other. REFERENCE may be an STM and
    HYPOTHESIS a CTM, by their suffixes, for protocols of glosses. See `bench docs metrics`.
    """
    from bench.cli.render.score_report import score_text
    from bench.core.errors import BenchError
    from bench.evaluation.metrics import scoring
    from bench.evaluation.metrics.text_files import read_samples
    from bench.evaluation.protocols import PROTOCOLS

    # Without bench.toml where bench has the protocol itself.
    protocol = PROTOCOLS.get(name) or load().protocol(name)
    timed = [file for file in (reference, hypothesis) if file.suffix.lower() in {".stm", ".ctm"}]
    if timed and protocol.unit != "gloss":
        raise BenchError(f"{timed[0]}: '{name}' is not a protocol of glosses; give lines of text")
    if timed and (reference.suffix.lower(), hypothesis.suffix.lower()) != (".stm", ".ctm"):
        raise BenchError(f"{timed[0]}: an STM is compared with a CTM; give them in this order")
    if timed and ids:
        raise BenchError("--ids is for lines of text; STM and CTM have ids already, so omit it")
    try:
        result = scoring.score_samples(protocol, read_samples(reference, hypothesis, ids=ids))
    except ValueError as error:
        raise BenchError(f"{reference}: {error}") from None
    report(score_text(result), result, as_json=as_json)
