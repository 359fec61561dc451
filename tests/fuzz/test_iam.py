"""Whatever is in the list of lines and in the XML of IAM."""

from __future__ import annotations

import pytest
from fuzzing import bounded, contents, fuzzed, result_or_sentence
from hypothesis import given
from hypothesis import strategies as st

from bench.data.raw.entries import Entry, Rejected, SampleError
from bench.data.raw.iam import IamLines, form_texts

XML = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE form SYSTEM "http://www.iam.unibe.ch/~fki/iamdb/form-metadata.dtd">
<form id="x"><handwritten-part>
<line id="a01-000u-00" text="A MOVE &amp;quot;to&amp;quot;"><word text="no"/></line>
</handwritten-part></form>
"""
ENTITIES = b"""<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>"""
WORDS = (ENTITIES, b"&b;", b"&amp;#10;", b"&#1;", b'encoding="utf-16"', b"<a>" * 2000, b'"')
LINES = (
    b"#--- lines.txt ---#\na01-000u-00 ok 154 19 4 7 16 8 A|MOVE\na01-000u-01 err 1 1 1 1 1 1 B\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("iam")
    for name in ("ascii", "xml", "lines"):
        (root / name).mkdir()
    return root


@fuzzed()
@given(contents(XML, XML.replace(b"ISO-8859-1", b"UTF-8"), words=WORDS))
def test_any_xml_is_read_or_refused(content):
    with bounded(64):
        try:
            found = form_texts(content)
        except SampleError:
            return
    assert all(isinstance(text, str) for text in found.values())


@fuzzed()
@given(contents(LINES, words=(b"ok", b"a01-000u-", b"|", b" ")), st.just(XML) | contents(XML))
def test_any_list_of_lines_is_read_or_refused(folder, lines, xml):
    (folder / "ascii" / "lines.txt").write_bytes(lines)
    (folder / "xml" / "a01-000u.xml").write_bytes(xml)
    for entry in result_or_sentence(lambda: [*IamLines(folder).entries("lines")]) or ():
        assert isinstance(entry, Entry | Rejected)
        assert entry.text.isprintable() if isinstance(entry, Entry) else entry.reason
