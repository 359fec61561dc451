"""Parsing of untrusted XML documents to trees of elements, without entities and DTDs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html.entities import html5
from xml.parsers import expat

from bench.data.raw.entries import SampleError

MAX_DEPTH = 200
"""The largest depth of nested elements; pages of text have about ten."""


@dataclass
class Element:
    """An XML element.

    Attributes:
        name: The name without namespace.
        attributes: The attributes by name without namespace.
        children: The child elements in order.
        text: The character data directly in the element, before, between and after its children.
    """

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def descendants(self, name: str) -> Iterator[Element]:
        """Yield the descendants with a name, in the order of the document."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.descendants(name)

    def first(self, name: str) -> Element | None:
        """Return the first descendant with a name, None if there is none."""
        return next(self.descendants(name), None)

    def children_named(self, name: str) -> Iterator[Element]:
        """Yield the children with a name."""
        return (child for child in self.children if child.name == name)


class _Tree:
    """Handlers of expat that collect the elements of a document."""

    def __init__(self) -> None:
        self.top = Element("", {})
        self._inside = [self.top]
        self._texts: list[list[str]] = [[]]

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._inside) > MAX_DEPTH:
            raise SampleError(f"an XML file with more than {MAX_DEPTH} nested elements")
        element = Element(_local(name), {_local(key): attributes[key] for key in attributes})
        self._inside[-1].children.append(element)
        self._inside.append(element)
        self._texts.append([])

    def end(self, _name: str) -> None:
        self._inside.pop().text = "".join(self._texts.pop())

    def add_text(self, text: str) -> None:
        self._texts[-1].append(text)

    def add_entity(self, name: str, is_parameter: bool) -> None:  # noqa: FBT001 (expat calls it)
        character = None if is_parameter else html5.get(f"{name};")
        if character is None:
            raise SampleError("an XML file with an entity that it does not declare")
        self.add_text(character)


def parse_xml(document: bytes) -> Element:
    """Return the root element of a document.

    A DTD that it refers to is not read, and a document that declares an entity is refused, because
    entities could fill the memory or read other files.

    Raises:
        SampleError: The document cannot be parsed.
    """
    tree = _Tree()
    parser = _parser()
    parser.StartElementHandler = tree.begin
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.add_text
    parser.SkippedEntityHandler = tree.add_entity
    try:
        parser.Parse(document, True)  # noqa: FBT003 (expat takes no keyword)
    # An unknown encoding is a LookupError, a multi-byte encoding a ValueError.
    except (expat.ExpatError, LookupError, ValueError):
        line = parser.ErrorLineNumber
        raise SampleError(f"an XML file that is not well-formed in line {line}") from None
    return tree.top.children[0]


def root_name(start: bytes) -> str:
    """Return the name of the root element of a document with this start, "" if there is none."""
    names: list[str] = []

    def begin(name: str, _attributes: dict[str, str]) -> None:
        names.append(_local(name))
        raise StopIteration

    parser = _parser()
    parser.StartElementHandler = begin
    # An error before the root element is reported when the whole document is parsed.
    with suppress(StopIteration, expat.ExpatError, LookupError, ValueError, SampleError):
        parser.Parse(start, False)  # noqa: FBT003 (expat takes no keyword)
    return names[0] if names else ""


def _parser() -> expat.XMLParserType:
    def declare(*_: object) -> None:
        raise SampleError("an XML file that declares entities")

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declare
    return parser


def _local(name: str) -> str:
    return name.rpartition(":")[2]
