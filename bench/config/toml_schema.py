"""The JSON Schema of bench.toml, by which editors complete and check it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast, get_args, get_type_hints

from bench.config.assemble import ENTRY_KEYS
from bench.config.augmentation import NO_AUGMENTATION
from bench.config.datasets import BY_NAMES, DatasetTable
from bench.config.missing import KINDS
from bench.config.recipe import Recipe, Resources
from bench.config.suite import Published, SuiteTable, TunedTable, Tuning
from bench.config.sweep_space import SEARCHED_PARTS, DomainKind, SweepTable
from bench.core import registry
from bench.core.components import Component, Model
from bench.core.json_schema import (
    Schema,
    any_of,
    closed_table,
    described_fields,
    required_fields,
    summary,
    table_schema,
)
from bench.core.model_input import FrameInput, ImageInput
from bench.core.names import NAME_PATTERN
from bench.core.types import SPLITS
from bench.data.raw.labels.divisions import Group
from bench.data.raw.labels.formats import FORMATS
from bench.evaluation.metrics import all_metrics
from bench.evaluation.protocols import PROTOCOLS, Protocol
from bench.evaluation.protocols.declared import ProtocolTable

_NAME: Schema = {"type": "string", "pattern": f"^{NAME_PATTERN}$"}
_TEXT: Schema = {"type": "string"}
_DOMAINS: dict[DomainKind, str] = {
    "loguniform": "Lowest and highest value; drawn uniformly on a logarithmic scale.",
    "uniform": "Lowest and highest value; drawn uniformly.",
    "choice": "The values, each as probable as the others.",
    "randint": "The first whole number that may be drawn, and the first that may not.",
}


def toml_schema_text() -> str:
    """Return the schema as a document, which ends with a line break."""
    return f"{json.dumps(toml_schema(), indent=1, ensure_ascii=False)}\n"


def toml_schema() -> Schema:
    """Return the schema, with the components of bench, of plug-ins and of installed packages.

    Names that bench.toml itself declares (suites, recipes, protocols, data sets) are not checked.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bench.toml",
        "description": "Suites of bench. `bench docs suites` explains them.",
        **closed_table(
            {
                "plugins": {
                    **_list_of(_TEXT),
                    "description": "Files of Python with components of your own, relative to "
                    "bench.toml.",
                },
                "suite": _named_tables("suite", "Comparisons; each has a board."),
                "recipe": _named_tables("recipe", "Recipes, which suites and entries name."),
                "protocol": _named_tables("protocol", "Scoring rules beside those of bench."),
                "dataset": _named_tables("dataset_table", "Data sets of your own."),
            }
        ),
        "$defs": {
            "suite": _suite(),
            "recipe": _recipe(),
            "protocol": _protocol(),
            "dataset_table": _dataset_table(),
            "resources": table_schema(Resources),
            "sweep": _sweep(),
            "image_input": table_schema(ImageInput, partial=True),
            "frames_input": table_schema(FrameInput, partial=True),
            **{kind: _component(kind) for kind in get_args(registry.Kind)},
        },
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _named_tables(definition: str, description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "propertyNames": _NAME,
        "additionalProperties": _ref(definition),
    }


def _suggested(names: Iterable[str]) -> Schema:
    """Return the schema of a name that is one of these, or one that bench.toml declares."""
    return any_of({"enum": [*names]}, _NAME)


def _suite() -> Schema:
    protocol = _suggested(PROTOCOLS)
    tuned = table_schema(
        TunedTable,
        {
            **{part: _ref(part) for part in ("model", "loss", "decoder")},
            "tuning": table_schema(Tuning),
            "recipe": _ref("recipe"),
        },
    )
    overrides: dict[str, Schema] = {
        **{key: _list_of(_ref(kind)) for key, kind in KINDS.items()},
        "protocol": protocol,
        "alphabet": protocol,
        "recipe": _named_recipe(),
        "resources": _ref("resources"),
        "published": _list_of(table_schema(Published)),
        "tuned": _list_of(tuned),
        "sweep": _ref("sweep"),
    }
    schema = table_schema(SuiteTable, overrides)
    for key in ("protocol", "alphabet", "recipe", "extends"):
        del schema["properties"][key]["default"]
    return schema | {"anyOf": [{"required": ["protocol"]}, {"required": ["extends"]}]}


def _named_recipe() -> Schema:
    return any_of(_TEXT, _ref("recipe"))


def _recipe() -> Schema:
    """Return the schema of a recipe that may build on another, so that any key may be missing."""
    schema = table_schema(Recipe, {"augmentation": _ref("augmentation")}, partial=True)
    extends = {"type": "string", "description": "The recipe whose keys it changes or adds to."}
    schema["properties"] = {"extends": extends, **schema["properties"]}
    return schema


def _protocol() -> Schema:
    metrics = {"enum": [*all_metrics()]}
    schema = table_schema(ProtocolTable, {"metrics": _list_of(metrics), "ranked_by": metrics})
    texts = described_fields(Protocol) | described_fields(ProtocolTable)
    for key, each in schema["properties"].items():
        each["description"] = texts[key]
    del schema["properties"]["ranked_by"]["default"]
    return schema


def _dataset_table() -> Schema:
    texts = any_of(_TEXT, _list_of(_TEXT))
    by_split = closed_table(dict.fromkeys(SPLITS, texts))
    division = closed_table(
        {"column": _TEXT, "seed": _TEXT} | dict.fromkeys(SPLITS, any_of(_TEXT, {"type": "number"}))
    )
    formats = (
        closed_table(
            {"name": {"const": name}, **table_schema(each)["properties"]},
            ["name", *required_fields(each)],
        )
        for name, each in FORMATS.items()
    )
    overrides = {
        "format": any_of({"enum": [*FORMATS]}, *formats),
        "labels": any_of(texts, by_split),
        "splits": any_of({"enum": [BY_NAMES, *SPLITS]}, division),
        "group": table_schema(Group),
        "alphabet": any_of(
            {"enum": [*PROTOCOLS]}, _TEXT, closed_table({"characters": _TEXT}, ["characters"])
        ),
    }
    schema = table_schema(DatasetTable, overrides)
    for key in ("format", "group"):
        del schema["properties"][key]["default"]
    return schema


def _sweep() -> Schema:
    domain = {
        "type": "object",
        "properties": {
            kind: {"type": "array", "minItems": 2, "description": text}
            for kind, text in _DOMAINS.items()
        },
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    }
    part = {"type": "object", "additionalProperties": domain}
    return table_schema(SweepTable, {"space": closed_table(dict.fromkeys(SEARCHED_PARTS, part))})


def _component(kind: registry.Kind) -> Schema:
    """Return the schema of a component: its name, or a table of its name and parameters."""
    components = registry.everything(kind)
    names: list[str] = [*components]
    if kind == "augmentation":
        names = [NO_AUGMENTATION, *names]
    # A data set may be declared in bench.toml.
    name = _suggested(names) if kind == "dataset" else {"enum": names}
    own = [closed_table({"name": _NAME}, ["name"])] if kind == "dataset" else []
    return any_of(name, *(_table(each) for each in components.values()), *own)


def _table(component: type[Component]) -> Schema:
    """Return the schema of the table of one component."""
    kind = cast("registry.Kind", component.kind)
    schema = table_schema(component, _parameters(component))
    properties = {"name": {"const": component.name}, **schema["properties"]}
    for key in ENTRY_KEYS.get(kind, ()):
        properties[key] = _entry_key(key, component)
    # A recognizer is named by its main parameter, too.
    named = component.name in schema["properties"]
    required = [*([] if named else ["name"]), *schema.get("required", [])]
    return {"description": summary(component), **closed_table(properties, required)}


def _parameters(component: type[Component]) -> dict[str, Schema]:
    """Return the schemas of the parameters that are components themselves."""
    kinds = {
        name: kind
        for name, annotation in get_type_hints(component).items()
        for kind in get_args(annotation) or [annotation]
        if isinstance(kind, type) and issubclass(kind, Component)
    }
    return {name: _ref(kind.kind) for name, kind in kinds.items()}


def _entry_key(key: str, component: type[Component]) -> Schema:
    """Return the schema of a key of an entry that is not a parameter."""
    match key:
        case "recipe":
            return _named_recipe() | {"description": "A recipe, or changes to that of the suite."}
        case "input":
            text = "Changes to the input that the model was made for."
            accepts = cast("type[Model]", component).accepts
            return _ref(f"{accepts}_input") | {"description": text}
        case "train":
            text = "Data that it is trained on instead of those of the suite."
            return _list_of(_ref("dataset")) | {"description": text}
        case "trained_on":
            text = "Data that it was trained on, as far as its authors state them."
            return _list_of(_TEXT) | {"description": text}
        case _:
            return {**_TEXT, "description": "What boards call it."}
