"""Colors, file names and tokens of pictures."""

from __future__ import annotations

from pathlib import Path

from bench.diagnostics import canvas


def test_file_names_are_valid_for_any_sample_id():
    names = ["3/1/../x y", "3%2F1/../x y", "3_1_.._x y"]
    files = {canvas.picture_file_name("alignment", name, "png") for name in names}
    assert len(files) == 3
    assert all(Path(file).name == file for file in files)


def test_few_classes_have_the_same_colors_in_all_pictures():
    everything = canvas.class_colors(range(1, 17), 17)
    assert len({*everything.values()}) == 17
    assert canvas.class_colors([9, 3, 9], 17) == {label: everything[label] for label in (0, 3, 9)}


def test_many_classes_have_different_colors_in_one_picture():
    chosen = canvas.class_colors(range(5, 1000, 100), 1000)
    assert len({*chosen.values()}) == len(chosen) == 11


def test_a_space_is_visible():
    assert [canvas.visible_token(word) for word in (" ", "a", "ON")] == ["␣", "a", "ON"]
