from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config.recipe import Recipe
from bench.core.errors import BenchError
from bench.core.interval import Interval
from bench.training.timetable import Timetable


def recipe_of(**values):
    return Recipe(batch_size=1, learning_rate=0.1, **values)


@given(
    batches=st.integers(1, 50),
    accumulate=st.integers(1, 5),
    epochs=st.integers(1, 6),
    every=st.integers(1, 4),
)
def test_whole_epochs_validate_at_their_ends_alone(batches, accumulate, epochs, every):
    recipe = Recipe(
        batch_size=1,
        learning_rate=0.1,
        epochs=epochs,
        accumulate=accumulate,
        validate_every=f"{every} epochs",
    )
    timetable = Timetable.of_recipe(recipe, batches)
    assert timetable.steps_per_epoch == -(-batches // accumulate)
    assert timetable.steps == epochs * timetable.steps_per_epoch
    validated = [step for step in range(1, timetable.steps + 1) if timetable.validates(step)]
    assert all(timetable.ends_epoch(step) for step in validated)
    ends = [timetable.epochs(step) for step in validated]
    assert ends == sorted({*range(every, epochs + 1, every), epochs})
    assert len(validated) == recipe.validations


@given(batches=st.integers(1, 50), steps=st.integers(1, 200), every=st.integers(1, 60))
def test_a_length_in_steps_may_end_within_an_epoch(batches, steps, every):
    recipe = recipe_of(steps=steps, validate_every=f"{every} steps")
    timetable = Timetable.of_recipe(recipe, batches)
    assert timetable.steps == steps
    validated = [step for step in range(1, steps + 1) if timetable.validates(step)]
    assert validated == sorted({*range(every, steps + 1, every), steps})
    assert len(validated) == recipe.validations
    places = [(timetable.epoch(step), timetable.step_in_epoch(step)) for step in range(steps)]
    assert places == [(step // batches + 1, step % batches) for step in range(steps)]


def test_a_part_of_an_epoch_is_a_whole_number_of_steps():
    recipe = recipe_of(epochs=1, validate_every="0.25 epochs")
    assert Timetable.of_recipe(recipe, 10).validate_every == 3
    assert Timetable.of_recipe(recipe, 1).validate_every == 1


def test_validations_are_unknown_where_units_differ():
    assert recipe_of(epochs=2, validate_every="5 steps").validations is None
    assert recipe_of(steps=2).validations is None


@pytest.mark.parametrize(
    ("text", "interval", "spelled"),
    [
        ("500 steps", Interval(500, "steps"), "500 steps"),
        ("1 step", Interval(1, "steps"), "1 step"),
        ("0.25 epochs", Interval(0.25, "epochs"), "0.25 epochs"),
        (" 1.0  epoch ", Interval(1, "epochs"), "1 epoch"),
        ("60 seconds", Interval(60, "seconds"), "60 seconds"),
        ("0 seconds", Interval(0, "seconds"), "0 seconds"),
    ],
)
def test_an_interval_has_one_spelling(text, interval, spelled):
    assert Interval.parse(text) == interval
    assert str(interval) == spelled
    assert Interval.parse(spelled) == interval


@pytest.mark.parametrize(
    "text",
    ["", "5", "steps", "-1 steps", "0 steps", "0 epochs", "1.5 steps", "1 hour", "nan epochs"],
)
def test_what_is_no_interval_is_one_sentence(text):
    with pytest.raises(BenchError, match="is not an interval in steps, epochs or seconds; write"):
        Interval.parse(text)


def test_validation_does_not_depend_on_the_clock():
    with pytest.raises(
        BenchError, match="validate_every: '60 seconds' is not an interval in steps"
    ):
        recipe_of(epochs=1, validate_every="60 seconds")


def test_spellings_of_one_interval_have_one_key():
    half = [recipe_of(epochs=2, validate_every=each) for each in ("0.5 epochs", "0.50 epoch")]
    assert half[0].spec() == half[1].spec()
    assert half[0].spec()["validate_every"] == "0.5 epochs"
    usual = recipe_of(epochs=2, validate_every="1.0 epochs")
    assert usual.spec() == {"batch_size": 1, "learning_rate": 0.1, "epochs": 2}


@pytest.mark.parametrize("lengths", [{}, {"epochs": 1, "steps": 1}])
def test_a_recipe_has_one_length(lengths):
    with pytest.raises(BenchError, match="set one of the two to at least 1"):
        recipe_of(**lengths)


@pytest.mark.parametrize("text", ["100000000000 steps", "0.00000000001 epochs", "0.5 seconds"])
def test_an_interval_reads_its_own_spelling(text):
    assert str(Interval.parse(text)) == text


@pytest.mark.parametrize("value", [5, True, "٣ steps", f"{'9' * 400} epochs"])
def test_what_is_no_interval_is_refused_with_an_example(value):
    with pytest.raises(BenchError, match=r"is not an interval in .*; write it as '500 steps'"):
        Interval.parse(value)
