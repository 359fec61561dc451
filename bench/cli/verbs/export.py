"""The verb `export`: a finished training as a folder to use elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, as_json_option, report, say_faults
from bench.trials.store import Store

_SAMPLES = 200


@click.command()
@click.argument("training")
@click.option(
    "--out",
    type=LOCAL_PATH,
    help="A new or empty folder. [default: exports/<model>-<loss>-<key>]",
)
@click.option(
    "--onnx", is_flag=True, help="Also write an ONNX graph, and compare its output with torch's."
)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    help=f"With --onnx: the number of test samples to compare. [default: {_SAMPLES}]",
)
@as_json_option
@click.pass_obj
def export(
    load: Load, training: str, out: Path | None, *, onnx: bool, samples: int | None, as_json: bool
) -> int:
    """Export the network of a finished training to a folder.

    TRAINING is the beginning of its key (`bench status` lists keys), its folder, or that of one of
    its evaluations. The folder contains model.safetensors, model.json (input, vocabulary and
    decoding) and a model card, README.md. `bench docs export` explains how to load it.

    Example:
      bench export 3f2a --onnx
    """
    if samples and not onnx:
        raise click.UsageError("--samples requires --onnx")
    from bench.export import exporting

    store = Store(load().results)
    exported = exporting.find_training(store, training)
    folder = out or exporting.default_folder(exported)
    compared = (samples or _SAMPLES) if onnx else None
    faults: list[str] = []
    about = exporting.export_training(exported, store, folder, samples=compared, faults=faults)
    lines = [f"{folder}: {about.title}, {about.parameters:,} weights"]
    if about.graph:
        lines.append(
            f"{folder / 'model.onnx'}: logits within {about.graph.largest_difference:.1e} of "
            f"torch's on {about.graph.compared_samples} samples of {about.graph.compared_on}, "
            f"{about.graph.different_texts} texts differ"
        )
    report("\n".join(lines), {"folder": str(folder), "model": about}, as_json=as_json)
    return say_faults(faults)
