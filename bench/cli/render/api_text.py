"""The names of the library on its page, from their docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import Parameter, Signature, cleandoc, isfunction, signature
from textwrap import fill

import bench

_DIRECTIVE = re.compile(r"^::: bench\.(\w+)$", re.MULTILINE)
_WIDTH = 96


def with_docstrings(markdown: str) -> str:
    """Return a page with signature and docstring in place of each `::: bench.NAME`."""
    return _DIRECTIVE.sub(lambda match: _section(match[1]), markdown)


def _section(name: str) -> str:
    """Return the section of a name: of a class, with its public methods and properties."""
    value = getattr(bench, name)
    entries = [_entry(f"bench.{name}", value)]
    if isinstance(value, type):
        entries += [_entry(f"{name}.{method}", each) for method, each in _public(value)]
    text = "\n\n".join(entries)
    return f"```text\n{text}\n```"


def _public(kind: type) -> Iterator[tuple[str, object]]:
    for name, value in vars(kind).items():
        if not name.startswith("_") and (isfunction(value) or hasattr(value, "__get__")):
            yield name, value


def _entry(name: str, value: object) -> str:
    """Return a name, with the arguments of a function, and its docstring."""
    lines = cleandoc(value.__doc__ or "").splitlines()
    if isfunction(value):
        name = fill(name + _arguments(signature(value)), _WIDTH, subsequent_indent="    ")
    return "\n".join([name, *(f"    {line}".rstrip() for line in lines)])


def _arguments(full: Signature) -> str:
    """Return the arguments and their defaults, without the types."""
    arguments = [
        each.replace(annotation=Parameter.empty)
        for each in full.parameters.values()
        if each.name != "self"
    ]
    return str(Signature(arguments))
