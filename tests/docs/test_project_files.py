"""CITATION.cff, the forms for issues and the pages of the root are what a hosting site reads."""

import tomllib

import pytest
import yaml

from .snippets import ROOT

CONFIG = ROOT / ".github/ISSUE_TEMPLATE/config.yml"
FORMS = sorted({*(ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")} - {CONFIG})
INPUTS = {"textarea", "input", "dropdown", "checkboxes"}


def test_citation_has_what_version_1_2_requires():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert citation["cff-version"] == "1.2.0"
    assert {"title", "message", "authors"} <= citation.keys()
    assert all(
        {"name", "family-names", "given-names"} & each.keys() for each in citation["authors"]
    )
    assert citation["license"] == project["license"]


@pytest.mark.parametrize("form", FORMS, ids=lambda file: file.stem)
def test_form_has_a_name_and_inputs_with_labels(form):
    document = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= document.keys()
    inputs = [each for each in document["body"] if each["type"] in INPUTS]
    assert inputs, "a form has at least one input"
    assert {each["type"] for each in document["body"]} <= INPUTS | {"markdown"}
    assert all(each["attributes"]["label"] for each in inputs)
    ids = [each["id"] for each in inputs]
    assert len({*ids}) == len(ids)
