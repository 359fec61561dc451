"""The model card of an exported network: its README.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bench.core import text_table
from bench.core.printable import escaped_markdown, unescaped_code
from bench.evaluation.metrics import metric
from bench.recognizers.networks.exported import DOCUMENT, GRAPH, WEIGHTS

if TYPE_CHECKING:
    from bench.core.types import DecoderFamily
    from bench.export.standings import Standing
    from bench.recognizers.networks.exported import ExportedNetwork

_LOADING = """\
```python
from bench.recognizers.networks import load

reader = load("{folder}")
for reading in reader.read(["word.png"]):
    print(reading.text, reading.confidence)
```"""
_DECODING: dict[DecoderFamily, str] = {
    "ctc": "Take the best class of each step, merge repeated classes, then remove class 0.",
    "ace": "Take the best class of each step and remove class 0; nothing is merged.",
    "seq2seq": "Take the best class of each step, up to the first class 0.",
}
_MAX_TOKENS = 128


def model_card(about: ExportedNetwork, folder: str, standings: Sequence[Standing]) -> str:
    """Return the model card of an exported network, in Markdown.

    Args:
        about: The description of the network.
        folder: The name of its folder.
        standings: The rows of boards that include its training.
    """
    sections = [
        f"# {escaped_markdown(about.title)}",
        _summary(about),
        *_results(about, standings),
        "## Reading images",
        _LOADING.format(folder=folder),
        "Loading executes no code of this folder: the architecture is part of bench.",
        "## From pixels to text",
        "\n".join(f"{number}. {step}" for number, step in enumerate(_reading_steps(about), 1)),
        _vocabulary(about),
        *_graph(about),
        "## Training",
        *_training(about),
    ]
    return "\n\n".join(sections) + "\n"


def _summary(about: ExportedNetwork) -> str:
    return (
        f"{about.parameters:,} weights, trained and exported by bench {about.bench}. "
        f"`{DOCUMENT}` has the same for programs."
    )


def _results(about: ExportedNetwork, standings: Sequence[Standing]) -> Iterator[str]:
    """Yield the rows of boards, then the scores of evaluations that are not part of these rows."""
    yield "## Results"
    in_rows = set()
    for standing in standings:
        board, row = standing.board, standing.row
        seeds = ", ".join(str(result.seed) for result in row.seeds)
        yield unescaped_code(
            f"Row **{escaped_markdown(row.label)}** of board `{escaped_markdown(board.name)}`, "
            f"protocol {escaped_markdown(board.protocol)}: the mean ± "
            "standard deviation over seeds, and the 95 % interval over samples and seeds. Seeds: "
            f"{seeds}; this network is one of them."
        )
        yield standing.table()
        in_rows |= {*row.evaluations.values()}
    others = [score for score in about.scores if score.evaluation not in in_rows]
    if others:
        rows = [
            [
                score.test,
                score.decoder,
                score.protocol,
                f"{score.samples:,}",
                metric.format_scores(score.scores),
            ]
            for score in others
        ]
        yield "Evaluations of this network:"
        yield text_table.markdown(
            ["test set", "decoder", "protocol", "samples", "scores"], rows, right="samples"
        )
    if not standings and not others:
        yield "It was not evaluated on any test set."


def _reading_steps(about: ExportedNetwork) -> list[str]:
    network = f"Compute logits with the weights of `{WEIGHTS}`"
    network += f", or by the graph `{GRAPH}`." if about.graph else "."
    between = "a space" if about.separator else "nothing"
    return [
        *map(escaped_markdown, about.preprocessing),
        network,
        _DECODING[about.decoder_family],
        f"Class c from 1 is the token `vocabulary[c - 1]`; between tokens is {between}.",
    ]


def _vocabulary(about: ExportedNetwork) -> str:
    count = len(about.vocabulary)
    sentence = f"Class 0 is {about.class_0}; {count} tokens follow"
    if about.separator or count > _MAX_TOKENS:
        return f"{sentence}, which `{DOCUMENT}` lists."
    tokens = json.dumps("".join(about.vocabulary), ensure_ascii=False)
    return f"{sentence}: `` {tokens} `` (as JSON)."


def _graph(about: ExportedNetwork) -> Iterator[str]:
    if about.graph is None:
        return
    graph = about.graph
    yield "## ONNX"
    rows = [[name, "input", _sizes(sizes)] for name, sizes in graph.inputs.items()]
    rows += [[name, "output", what] for name, what in graph.outputs.items()]
    yield text_table.markdown(["name", "kind", "shape"], rows)
    same = (
        "all texts are the same"
        if not graph.different_texts
        else f"{graph.different_texts} texts differ, due to rounding"
    )
    lengths = "`lengths` are int64: the number of valid columns or frames of each sample. "
    yield (
        f"Opset {graph.opset}. {lengths if 'lengths' in graph.inputs else ''}Compared with torch "
        f"in onnxruntime on {graph.compared_samples} samples of "
        f"{escaped_markdown(graph.compared_on)}: logits "
        f"differ by {graph.largest_difference:.1e} at most, {same}."
    )


def _sizes(sizes: Sequence[int | str]) -> str:
    return f"({', '.join(map(str, sizes))})"


def _training(about: ExportedNetwork) -> Iterator[str]:
    training = about.training
    data = [
        [each["name"], json.dumps(each["parameters"]), json.dumps(each["fingerprints"])]
        for each in training["data"]
    ]
    yield text_table.markdown(["trained on", "parameters", "fingerprints"], data)
    recipe = [[key, json.dumps(value)] for key, value in training["recipe"].items()]
    yield text_table.markdown(["recipe", "value"], [["seed", str(training["seed"])], *recipe])
    device = training["gpu"] or training["cpu"]
    yield unescaped_code(
        f"Model `{_component(about.model)}`, loss `{_component(about.loss)}`. Key "
        f"`{training['key']}`; the weights after step {training['selected_step']:,}, with a label "
        f"error rate of {training['validation_ler']:.4f} on validation data; "
        f"{training['seconds']:,} seconds on {escaped_markdown(device)}, finished "
        f"{escaped_markdown(training['finished'])}, by commit "
        f"`{escaped_markdown(training['commit'] or 'unknown')}`."
    )


def _component(spec: dict[str, object]) -> str:
    return escaped_markdown(f"{spec['name']} {json.dumps(spec['parameters'])}")
