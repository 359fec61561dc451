"""Detection of the label format, and ambiguous folders."""

from __future__ import annotations

import pytest

from bench.core.errors import BenchError
from bench.core.text_encodings import MAX_LINE
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.format_detection import choose_format, detect_formats

IMAGES = {f"{n}.jpg": b"x" for n in range(3)}


@pytest.fixture
def chosen(write):
    """Return a function that writes files and returns the chosen format and labels."""

    def of(files):
        data = open_data_folder(write(files))
        found = choose_format(detect_formats(data), data)
        return found.format.name, [data.relative(each) for each in found.labels]

    return of


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"gt.txt": "0.jpg\ta\n1.jpg\tb c\n"}, "tab"),
        ({"gt.txt": "0.jpg a\n1.jpg b c\n"}, "space"),
        ({"gt.txt": "./0.jpg a\n.//1.jpg b c\n"}, "space"),
        ({"gt.txt": "0.jpg,a\n1.jpg,b c\n"}, "comma"),
        ({"gt.txt": '0.jpg, "a"\n1.jpg, "b c"\n'}, "icdar"),
        ({"labels.csv": "filename,words\n0.jpg,a\n1.jpg,b\n"}, "csv"),
        ({"labels.csv": "filename,words\n0.jpg,a\n1.jpg,b, c\n2.jpg,c\n"}, "easyocr"),
        ({"0.gt.txt": "a", "1.gt.txt": "b", "2.gt.txt": "c"}, "pairs"),
        ({"a.json": '{"0.jpg": "a", "1.jpg": "b"}'}, "json"),
    ],
)
def test_the_only_format_that_fits_is_chosen(chosen, files, name):
    assert chosen({**IMAGES, **files}) == (name, ["." if name == "pairs" else next(iter(files))])


def test_other_texts_in_the_folder_are_not_labels(chosen):
    files = {
        **IMAGES,
        "gt.txt": "0.jpg\ta\n",
        "README.txt": "0.jpg is a picture",
        "alphabet.txt": "abc",
        "notes.txt": "the images were taken in May\nby a friend",
        ".hidden.txt": "1.jpg\tb\n",
    }
    assert chosen(files) == ("tab", ["gt.txt"])


def test_one_label_file_per_split_is_detected(chosen):
    files = {f"{part}/labels.csv": "file_name,text\n0.jpg,a\n" for part in ("train", "test")}
    images = {f"{part}/0.jpg": b"x" for part in ("train", "test")}
    assert chosen({**files, **images}) == ("csv", ["test/labels.csv", "train/labels.csv"])


def test_two_formats_with_different_rows_are_reported(chosen):
    with pytest.raises(BenchError) as caught:
        chosen({**IMAGES, "labels.csv": 'filename,words\n0.jpg,"a"\n1.jpg,b\n'})
    said = str(caught.value)
    assert "'0.jpg' is 'a'" in said
    assert "'0.jpg' is '\"a\"'" in said
    assert said.endswith("or --format of `bench data init`, to csv or easyocr")


def test_two_files_with_different_labels_are_ambiguous(chosen):
    with pytest.raises(BenchError, match="can be read in two ways"):
        chosen({**IMAGES, "a.txt": "0.jpg\ta\n1.jpg\tb\n", "b.txt": "0.jpg,x\n1.jpg,y\n"})


def test_missing_images_are_reported(chosen):
    with pytest.raises(BenchError) as caught:
        chosen({**IMAGES, "gt.txt": "0.jpg\ta\n1.jpg\tb\nnone.jpg\tc\n"})
    assert "only 67% of the first rows have an image" in str(caught.value)
    assert "'none.jpg' is missing" in str(caught.value)
    assert str(caught.value).endswith("--format of `bench data init`, to tab")


@pytest.mark.parametrize("files", [{"gt.txt": "9.jpg\ta\n"}, {}, {"gt.txt": b"\xff\xfe\x00"}])
def test_a_folder_without_labels_is_an_error(chosen, files):
    with pytest.raises(BenchError, match="it has no labels whose images exist"):
        chosen({**IMAGES, **files})


def test_a_hostile_folder_is_read_completely(chosen, write):
    deep = "/".join(["x"] * 60)
    files = {
        f"{deep}/0.jpg": b"x",
        "a.txt": "\0" * 1000 + "\n" + "y" * 70_000,
        "b.json": "[" * 100_000,
        "c.csv": '"' * 1001,
        "d.jsonl": "{" * 5000,
    }
    root = write(files)
    (root / "loop").symlink_to(root)
    (root / "gone.txt").symlink_to(root / "nowhere")
    with pytest.raises(BenchError, match="it has no labels"):
        chosen({})


def test_a_text_may_be_longer_than_the_limit_of_csv(chosen):
    assert chosen({**IMAGES, "gt.txt": f"0.jpg\t{'a' * 200_000}\n1.jpg\tb\n"}) == (
        "tab",
        ["gt.txt"],
    )


def test_a_file_without_line_ends_does_not_hide_others(chosen):
    endless = b"\0" * (MAX_LINE + 1)
    with pytest.raises(
        BenchError, match=r"gt\.csv:1: the line has more than 16,777,216 characters"
    ):
        chosen({**IMAGES, "gt.csv": endless})
    assert chosen({"gt.txt": "0.jpg\ta\n1.jpg\tb\n"}) == ("tab", ["gt.txt"])


def test_a_circular_link_is_a_missing_image(write):
    root = write({**IMAGES, "gt.txt": "0.jpg\ta\nloop.jpg\tb\n"})
    (root / "loop.jpg").symlink_to("loop.jpg")
    data = open_data_folder(root)
    with pytest.raises(BenchError, match=r"'loop\.jpg' is missing"):
        choose_format(detect_formats(data), data)
