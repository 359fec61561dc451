"""The verb `schema`: the JSON Schema of bench.toml."""

from __future__ import annotations

import os
from pathlib import Path

import click

from bench.cli.path_option import LOCAL_PATH
from bench.cli.terminal import Load, print_document, say


@click.command()
@click.option("-o", "--out", type=LOCAL_PATH, help="Write it into this file instead of to stdout.")
@click.pass_obj
def schema(load: Load, out: Path | None) -> None:
    """Print the JSON Schema (2020-12) of bench.toml, with which editors complete and check it.

    It has every key with its type, bounds, default and meaning, and the names of all components,
    also of plug-ins and of installed packages. Run it again after adding a component.

    For editors that use Taplo, such as VS Code with Even Better TOML:
      bench schema -o bench.schema.json

    Then make this the first line of bench.toml:
      #:schema ./bench.schema.json
    """
    from bench.config.toml_schema import toml_schema_text
    from bench.core.documents import write_bytes

    config = load()
    content = toml_schema_text().encode()
    if out is None:
        print_document(content)
        return
    write_bytes(out, content)
    path = Path(os.path.relpath(out, config.path.parent)).as_posix()
    say(f"written to {out}; make this the first line of {config.path}: #:schema ./{path}")
