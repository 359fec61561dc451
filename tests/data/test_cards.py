from __future__ import annotations

import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from bench.cli.render import card_text
from bench.core import registry
from bench.core.errors import BenchError
from bench.core.names import name_fault
from bench.core.text_table import draw
from bench.data import cards
from bench.data.download.mirrors import check_url
from bench.evaluation import protocols

ROOT = Path(__file__).parents[2]
CARDS = cards.all_cards()
CLOVAAI = {
    "cute80": ("CUTE80", 288),
    "ic03-860": ("IC03_860", 860),
    "ic03-867": ("IC03_867", 867),
    "ic13-857": ("IC13_857", 857),
    "ic13-1015": ("IC13_1015", 1015),
    "ic15-1811": ("IC15_1811", 1811),
    "ic15-2077": ("IC15_2077", 2077),
    "iiit5k": ("IIIT5k_3000", 3000),
    "svt": ("SVT", 647),
    "svtp": ("SVTP", 645),
}
"""Test sets of data_lmdb_release, 12,067 words together."""

every_card = pytest.mark.parametrize("card", CARDS.values(), ids=CARDS)


def division(name, which):
    return next(split for split in CARDS[name].splits if split.name == which)


def test_every_folder_has_a_card_and_every_dataset_a_folder():
    assert set(CARDS) == {folder.name for folder in (ROOT / "datasets").iterdir()}
    assert set(CARDS) == set(registry.builtin("dataset"))


def test_no_name_belongs_to_two_data_sets():
    names = [word.lower() for c in CARDS.values() for word in (c.name, *c.aliases)]
    assert len(names) == len(set(names))


@every_card
def test_files_named_by_a_card_exist(card):
    assert card.protocol in protocols.PROTOCOLS
    listed = {split.ids for split in card.splits if split.ids} | {"card.toml"}
    listed |= {layout.sample for layout in card.layouts}
    listed |= {name for name in ("unreadable.txt",) if any(name in note for note in card.notes)}
    assert listed == {file.name for file in card.path.iterdir()}
    for overlap in card.overlaps:
        assert card.name in {back.dataset for back in CARDS[overlap.dataset].overlaps}


@every_card
def test_statistics_have_the_number_of_samples_of_the_split(card):
    for found in card.statistics:
        parts = found.classes or [getattr(card.splits[0], found.split)]
        assert sum(parts) == found.samples


@every_card
def test_digests_have_their_length(card):
    for checksum in card.checksums:
        length = {"md5": 32, "sha256": 64}[checksum.algorithm]
        assert re.fullmatch(rf"[0-9a-f]{{{length}}}", checksum.digest)


@every_card
def test_downloads_have_names_and_addresses_that_can_be_used(card):
    assert not (card.downloads and card.source.registration)
    for download in card.downloads:
        assert name_fault("file", download.file) is None
        assert download.urls
        for url in download.urls:
            check_url(url)
            assert url.endswith(f"/{download.file}")


def test_the_test_sets_of_clovaai_add_up():
    for name, (folder, count) in CLOVAAI.items():
        assert f"evaluation/{folder}" in CARDS[name].layouts[0].files
        assert CARDS[name].splits[0].test == count
    assert sum(CARDS[name].splits[0].test for name in CLOVAAI) == 12_067


def test_the_lmdb_of_synth90k_is_the_archive_without_unreadable_images():
    unreadable = (CARDS["synth90k"].path / "unreadable.txt").read_text().splitlines()
    assert all(re.fullmatch(r"\./\d+/\d/\d+_[A-Za-z]+_\d+\.jpg", path) for path in unreadable)
    assert len(set(unreadable)) == len(unreadable) == 32
    archive, lmdb = division("synth90k", "archive"), division("synth90k", "lmdb")
    lost = [getattr(archive, s) - getattr(lmdb, s) for s in ("train", "validation", "test")]
    assert lost == [26, 3, 3]
    assert archive.train + archive.validation + archive.test == 8_919_273


def test_the_variants_of_synthtext_differ():
    assert len({split.train for split in CARDS["synthtext"].splits}) == 3


def test_seq_mnist_groups_digits_in_fours():
    balanced = division("seq-mnist", "balanced")
    train, test = CARDS["seq-mnist"].statistics
    assert (4 * balanced.train, 4 * balanced.test) == (train.samples, test.samples)


def test_a_card_is_found_by_name_or_alias():
    assert cards.find_card("MJSynth") is cards.find_card("synth90k") is CARDS["synth90k"]
    assert cards.find_card("IC15_2077") is CARDS["ic15-2077"]
    assert cards.find_card("nothing") is None


@every_card
def test_a_description_has_all_fields_of_the_card(card):
    text = " ".join(draw(card_text.card_text(card)).split())
    source = card.source
    said = [card.about, card.protocol, *card.aliases, *card.notes]
    said += [source.title, source.page, source.licence, source.how_to_get]
    said += chain.from_iterable((part.about, *part.files, part.annotation) for part in card.layouts)
    said += [checksum.digest for checksum in card.checksums]
    said += [overlap.dataset for overlap in card.overlaps]
    said += [f"tokens {found.tokens:,}" for found in card.statistics if found.tokens]
    for part in said:
        assert " ".join(part.split()) in text
    assert ("registration needed" in text) == source.registration


def test_a_line_has_a_description_and_sizes():
    assert CARDS["svt"].line().endswith("– / – / 647 words.")
    assert "6,482 / 976 / 2,915 lines" in CARDS["iam"].line()
    assert all("\n" not in card.line() for card in CARDS.values())


def test_the_page_of_data_sets_has_the_counts_of_the_cards():
    page = (ROOT / "docs/reference/datasets.md").read_text()
    for card in CARDS.values():
        assert f"| `{card.name}` | {card.splits[0].sizes} |" in page


FITTING = (ROOT / "datasets/phoenix14/card.toml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("aliases =", "alias =", r"there is no key 'alias' here; did you mean 'aliases'\?"),
        ("licence =", "license =", r"\[source\] .*'license'.* did you mean 'licence'\?"),
        ("tokens = 5540", "token = 5540", r"\[statistics\] .* did you mean 'tokens'\?"),
        ('split = "test"', 'split = "tset"', r"\[statistics\] .*did you mean 'test'\?"),
        ("test = 629", "test = -1", r"\[splits\] 'test = -1'"),
        ("[[splits]]", "[splits]", r"'splits' is not a list of tables; .*\[\[splits\]\]"),
        ("[[splits]]", "[[split]]", r"there is no key 'split' here; did you mean 'splits'\?"),
        ('protocol = "', "protocol = ", "this is not TOML"),
        ('name = "phoenix14"', 'name = "phoenix"', "'phoenix' is in the folder 'phoenix14'"),
    ],
)
def test_an_invalid_card_is_refused_in_one_sentence(tmp_path, old, new, said):
    assert FITTING.count(old)
    folder = tmp_path / "phoenix14"
    folder.mkdir()
    file = folder / "card.toml"
    file.write_text(FITTING.replace(old, new, 1))
    with pytest.raises(BenchError, match=said) as raised:
        cards.read_card(file)
    assert str(raised.value).startswith(f"{file}:")
    assert "\n" not in str(raised.value)


def test_an_error_names_its_line(tmp_path):
    (tmp_path / "phoenix14").mkdir()
    file = tmp_path / "phoenix14" / "card.toml"
    file.write_text(FITTING.replace("tokens = 6504", "token = 6504"))
    line = FITTING[: FITTING.index("tokens = 6504")].count("\n") + 1
    with pytest.raises(BenchError, match=rf"card\.toml:{line}: "):
        cards.read_card(file)


def test_cards_cost_no_heavy_import():
    program = (
        "import sys\nfrom bench.cli.render import card_text\nfrom bench.data import cards\n"
        "for card in cards.all_cards().values(): card_text.card_text(card)\n"
        "print({'torch', 'numpy', 'cv2', 'ray'} & set(sys.modules) or '')"
    )
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert not found.stdout.strip()
