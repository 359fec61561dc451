"""Tables to dataclasses: every fault names its key and says what is wrong with it."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.schema import (
    Fraction,
    NonNegativeFloat,
    NonNegativeInt,
    Parsed,
    PositiveFloat,
    PositiveInt,
    SchemaError,
    fill,
)

GOOD = {"count": 2, "rate": 0.5}


@dataclass(frozen=True)
class Sample:
    """A key of each kind that bench's own dataclasses have."""

    count: PositiveInt
    rate: PositiveFloat
    start: NonNegativeInt = 0
    decay: NonNegativeFloat = 0.0
    share: Fraction = 0.5
    ramp: tuple[Fraction, ...] = (0.25,)
    free: float = 0.0
    flag: bool = False
    kind: Literal["one", "two"] = "one"
    names: list[str] = field(default_factory=list)


def refused(**changes) -> SchemaError:
    with pytest.raises(SchemaError) as caught:
        fill(Sample, GOOD | changes)
    assert "\n" not in str(caught.value)
    return caught.value


def test_what_is_given_is_taken_and_the_rest_is_default():
    filled = fill(Sample, GOOD | {"kind": "two", "ramp": [0, 1], "names": ["a"]})
    assert filled == Sample(2, 0.5, kind="two", ramp=(0.0, 1.0), names=["a"])


def test_lists_become_the_tuples_that_hash():
    filled = fill(Sample, GOOD | {"ramp": [0.1, 0.2]})
    assert type(filled.ramp) is tuple
    assert hash(filled.ramp) == hash((0.1, 0.2))


def test_the_table_stays_as_it_was():
    table = GOOD | {"ramp": [0, 1], "names": ["a"]}
    before = deepcopy(table)
    fill(Sample, table)
    assert table == before


def test_a_default_list_is_no_one_elses():
    first, second = fill(Sample, GOOD), fill(Sample, GOOD)
    first.names.append("mine")
    assert second.names == []


def test_unknown_key_suggests_the_nearest():
    error = refused(cuont=1)
    assert error.key == "cuont"
    assert "'cuont'" in str(error)
    assert "did you mean 'count'?" in str(error)


def test_unknown_key_far_from_all_lists_all():
    message = str(refused(zzzzzzzz=1))
    assert "did you mean" not in message
    for name in ("count", "rate", "kind", "names"):
        assert name in message


@pytest.mark.parametrize("missing", ["count", "rate"])
def test_missing_key_is_named(missing):
    table = {key: value for key, value in GOOD.items() if key != missing}
    with pytest.raises(SchemaError, match=f"'{missing}' is missing") as caught:
        fill(Sample, table)
    assert caught.value.key == missing


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("count", 0, ">= 1"),
        ("count", -3, ">= 1"),
        ("count", "2", "`int`, got `str`"),
        ("count", 2.5, "`int`, got `float`"),
        ("count", True, "`int`, got `bool`"),
        ("start", -1, ">= 0"),
        ("rate", 0, "> 0"),
        ("rate", 0.0, "> 0"),
        ("rate", -1, "> 0"),
        ("rate", math.nan, "> 0"),
        ("rate", "fast", "`float`, got `str`"),
        ("decay", -0.5, ">= 0"),
        ("share", 1.5, "<= 1"),
        ("share", -0.5, ">= 0"),
        ("ramp", [0.5, 2], "<= 1"),
        ("ramp", 0.5, "`array`, got `float`"),
        ("ramp", ["x"], "`float`, got `str`"),
        ("flag", "yes", "`bool`, got `str`"),
        ("flag", 1, "`bool`, got `int`"),
        ("kind", 1, "`str`, got `int`"),
        ("kind", "onee", "onee"),
        ("names", [1], "`str`, got `int`"),
        ("free", [], "`float`, got `array`"),
    ],
)
def test_a_wrong_value_is_shown_with_its_reason(key, value, reason):
    error = refused(**{key: value})
    assert error.key == key
    assert f"{key} = " in str(error)
    assert reason in str(error)


def test_a_wrong_word_shows_the_words_there_are():
    assert "one" in str(refused(kind="onne"))


@pytest.mark.parametrize(("value", "shown"), [(True, "true"), ("x", '"x"'), ([True], "[true]")])
def test_a_wrong_value_is_shown_as_toml_spells_it(value, shown):
    assert f"'count = {shown}'" in str(refused(count=value))


@settings(max_examples=40)
@given(st.integers(1, 2**53))
def test_an_integer_where_a_number_may_be_is_that_float(number):
    filled = fill(Sample, GOOD | {"rate": number})
    assert type(filled.rate) is float
    assert filled == fill(Sample, GOOD | {"rate": float(number)})


@settings(max_examples=60)
@given(st.floats() | st.floats(-0.5, 1.5) | st.integers(-2, 3))
def test_a_share_is_from_zero_to_one(value):
    if 0 <= value <= 1:
        assert fill(Sample, GOOD | {"share": value}).share == value
    else:
        assert refused(share=value).key == "share"


def parse_pair(value: object) -> tuple[int, int]:
    """Return a pair of whole numbers, written as `3x4`."""
    if isinstance(value, tuple):
        return value
    if value == "nested":
        fill(Sample, {"count": 0, "rate": 1.0})
    try:
        one, other = map(int, str(value).split("x"))
    except ValueError:
        raise BenchError(f"{value} is not a pair") from None
    return one, other


@dataclass(frozen=True)
class Paired:
    pair: Annotated[tuple[int, int], Parsed(parse_pair)] = (1, 1)


def test_a_parsed_field_is_what_its_function_makes_of_a_value():
    assert fill(Paired, {}).pair == (1, 1)
    assert fill(Paired, {"pair": "3x4"}).pair == (3, 4)
    assert fill(Paired, {"pair": (5, 6)}).pair == (5, 6)


@pytest.mark.parametrize(
    ("value", "message", "assignment"),
    [
        ("3", "'pair': 3 is not a pair", ""),
        ("nested", "'pair': 'count = 0': expected", "count = 0"),
    ],
)
def test_what_cannot_be_parsed_is_a_fault_of_its_key(value, message, assignment):
    with pytest.raises(SchemaError, match=message) as caught:
        fill(Paired, {"pair": value})
    assert (caught.value.key, caught.value.assignment) == ("pair", assignment)
