"""XML documents as trees of elements, read without what makes XML dangerous."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html.entities import html5
from xml.parsers import expat

from bench.data.raw.entries import SampleError

MAX_DEPTH = 200
"""Elements inside one another; pages of text have about ten."""


@dataclass
class Element:
    """One element: its name and the names of its attributes are without a namespace.

    `text` is all character data directly in it, between its children as well.
    """

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def below(self, name: str) -> Iterator[Element]:
        """Yield the elements of a name below it, in the order of the document."""
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.below(name)

    def first(self, name: str) -> Element | None:
        """Return the first element of a name below it, None where there is none."""
        return next(self.below(name), None)

    def named(self, name: str) -> Iterator[Element]:
        """Yield its children of a name."""
        return (child for child in self.children if child.name == name)


class _Tree:
    """The elements of a document that is being parsed."""

    def __init__(self) -> None:
        self.top = Element("", {})
        self._inside = [self.top]
        self._texts: list[list[str]] = [[]]

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._inside) > MAX_DEPTH:
            raise SampleError(f"an XML file with more than {MAX_DEPTH} elements inside one another")
        element = Element(_local(name), {_local(key): attributes[key] for key in attributes})
        self._inside[-1].children.append(element)
        self._inside.append(element)
        self._texts.append([])

    def end(self, _name: str) -> None:
        self._inside.pop().text = "".join(self._texts.pop())

    def add_text(self, text: str) -> None:
        self._texts[-1].append(text)

    def add_entity(self, name: str, is_parameter: bool) -> None:  # noqa: FBT001 (expat calls it)
        known = None if is_parameter else html5.get(f"{name};")
        if known is None:
            raise SampleError("an XML file with an entity that it does not declare")
        self.add_text(known)


def parsed(document: bytes) -> Element:
    """Return the root element of a document.

    A DTD that it names is not read, and one that declares an entity is refused: it could be made to
    fill the memory, or to read other files. Raises SampleError where the document cannot be read.
    """
    tree = _Tree()
    parser = _parser()
    parser.StartElementHandler = tree.begin
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.add_text
    parser.SkippedEntityHandler = tree.add_entity
    try:
        parser.Parse(document, True)  # noqa: FBT003 (expat takes no keyword)
    # An encoding that Python does not know is a LookupError, one of several bytes a ValueError.
    except (expat.ExpatError, LookupError, ValueError):
        line = parser.ErrorLineNumber
        raise SampleError(f"an XML file that is broken in line {line}") from None
    return tree.top.children[0]


def root_name(start: bytes) -> str:
    """Return the name of the root element of a document that begins so, "" where there is none."""
    names: list[str] = []

    def begin(name: str, _attributes: dict[str, str]) -> None:
        names.append(_local(name))
        raise StopIteration

    parser = _parser()
    parser.StartElementHandler = begin
    # What is wrong in front of the root is said when the whole document is parsed.
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
