"""What all pictures share."""

from __future__ import annotations

from pathlib import Path

from bench.diagnostics import canvas


def test_a_sample_may_be_called_anything():
    names = ["3/1/../x y", "3%2F1/../x y", "3_1_.._x y"]
    files = {canvas.file_name("alignment", name, "png") for name in names}
    assert len(files) == 3
    assert all(Path(file).name == file for file in files)


def test_of_few_classes_each_has_one_color_in_all_pictures():
    everything = canvas.colors(range(1, 17), 17)
    assert len({*everything.values()}) == 17
    assert canvas.colors([9, 3, 9], 17) == {label: everything[label] for label in (0, 3, 9)}


def test_of_many_classes_those_of_one_picture_differ():
    chosen = canvas.colors(range(5, 1000, 100), 1000)
    assert len({*chosen.values()}) == len(chosen) == 11


def test_a_space_is_seen():
    assert [canvas.visible(word) for word in (" ", "a", "ON")] == ["␣", "a", "ON"]
