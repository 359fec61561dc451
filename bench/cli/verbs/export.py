"""The verb `export`: a finished training as a folder that others can use."""

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
    help="The folder, new or empty; else exports/<model>-<loss>-<key>.",
)
@click.option("--onnx", is_flag=True, help="Write an ONNX graph too, compared with torch.")
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    help=f"Of --onnx: on how many test samples it is compared.  [default: {_SAMPLES}]",
)
@as_json_option
@click.pass_obj
def export(
    load: Load, training: str, out: Path | None, *, onnx: bool, samples: int | None, as_json: bool
) -> int:
    """Write the network of a finished training to a folder of its own.

    TRAINING is the beginning of its key (`bench status` lists them) or its folder; that of one of
    its evaluations does too. The folder gets model.safetensors, a model.json that says all that
    reading takes, and a model card, README.md. `bench docs export` says how to load it.
    """
    if samples and not onnx:
        raise click.UsageError("--samples goes with --onnx")
    from bench.export import exporting

    store = Store(load().results)
    found = exporting.find_training(store, training)
    folder = out or exporting.default_folder(found)
    compared = (samples or _SAMPLES) if onnx else None
    faults: list[str] = []
    about = exporting.export_training(found, store, folder, samples=compared, faults=faults)
    lines = [f"{folder}: {about.title}, {about.parameters:,} weights"]
    if about.graph:
        lines.append(
            f"{folder / 'model.onnx'}: logits within {about.graph.largest_difference:.1e} of "
            f"torch's on {about.graph.compared_samples} samples of {about.graph.compared_on}, "
            f"{about.graph.different_texts} texts differ"
        )
    report("\n".join(lines), {"folder": str(folder), "model": about}, as_json=as_json)
    return say_faults(faults)
