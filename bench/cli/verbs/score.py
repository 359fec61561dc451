"""The verb `score`: two text files under a protocol."""

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
    help="The scoring rules: `bench ls protocols` lists them.",
)
@click.option(
    "--ids",
    is_flag=True,
    help="Each line is an id, a tab and a text; the order of lines does not matter.",
)
@as_json_option
@click.pass_obj
def score(
    load: Load, reference: Path, hypothesis: Path, name: str, *, ids: bool, as_json: bool
) -> None:
    """Score the texts of HYPOTHESIS against those of REFERENCE under a protocol.

    Both are UTF-8 text files with one sample per line, in the same order. Under protocols of
    glosses, REFERENCE may be an STM file (.stm) and HYPOTHESIS a CTM file (.ctm). See
    `bench docs metrics`.

    Examples:
      bench score reference.txt read.txt --protocol htr-iam
      bench score dev.stm hypotheses.ctm --protocol gloss-phoenix14
    """
    from bench.cli.render.score_report import score_text
    from bench.core.errors import BenchError
    from bench.evaluation.metrics import scoring
    from bench.evaluation.metrics.text_files import read_samples
    from bench.evaluation.protocols import PROTOCOLS

    # A broken bench.toml does not matter for a protocol of bench.
    protocol = PROTOCOLS.get(name) or load().protocol(name)
    timed = [file for file in (reference, hypothesis) if file.suffix.lower() in {".stm", ".ctm"}]
    if timed and protocol.unit != "gloss":
        raise BenchError(
            f"{timed[0]}: '{name}' is not a protocol of glosses; use files with a text per line"
        )
    if timed and (reference.suffix.lower(), hypothesis.suffix.lower()) != (".stm", ".ctm"):
        raise BenchError(
            f"{timed[0]}: an .stm file must be compared with a .ctm file, in this order"
        )
    if timed and ids:
        raise BenchError("--ids is for text files; .stm and .ctm files have ids, so omit it")
    try:
        result = scoring.score_samples(protocol, read_samples(reference, hypothesis, ids=ids))
    except ValueError as error:
        raise BenchError(f"{reference}: {error}") from None
    report(score_text(result), result, as_json=as_json)
