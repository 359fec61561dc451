"""Suites with all that they may say: test sets, inputs, recipes, decoders, and other suites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.config import bench_toml
from bench.config.recipe import Recipe
from bench.config.recipe_layers import augmentation_of
from bench.config.suite import Suite
from bench.core.errors import BenchError, Exit
from bench.core.model_input import FrameInput
from bench.data.augmentation.scene_text import SceneText
from bench.data.augmentation.sign_language import SignLanguage
from bench.data.datasets.seq_digits import SeqDigits
from bench.decoding.beam import BeamDecoder
from bench.decoding.greedy import GreedyDecoder
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.models.lenetpp import LeNetPP

OWN_TRAIN = 'train = [{ name = "seq-digits", digits = 3 }]'
TEXT = """\
[protocol.upper]
charset = "0123456789"
metrics = ["cer"]

[recipe.base]
epochs = 2
batch_size = 32
learning_rate = 0.1

[recipe.slow]
extends = "base"
learning_rate = 0.001

[suite.full]
about = "Everything that a suite may say."
protocol = "digits"
seeds = [0]
train = ["seq-digits"]
tests = ["seq-digits", { name = "seq-digits", digits = 2 }]
models = [
    { name = "cnn-bilstm", recipe = "slow", input = { normalization = "signed" } },
    { name = "lenetpp", label = "small", recipe = { epochs = 3 }, OWN_TRAIN },
]
losses = ["ctc", { name = "radial-ctc", recipe = { learning_rate = 0.5 } }]
decoders = ["greedy", { name = "beam", width = 4 }]
recipe = "base"
""".replace("OWN_TRAIN", OWN_TRAIN)
SUITE = "suite.full"
TESTS = 'tests = ["seq-digits", { name = "seq-digits", digits = 2 }]\n'
TRAIN = 'train = ["seq-digits"]\n'
BILSTM = '{ name = "cnn-bilstm", recipe = "slow", input = { normalization = "signed" } }'
RADIAL = '{ name = "radial-ctc", recipe = { learning_rate = 0.5 } }'
BEAM = '{ name = "beam", width = 4 }'
CHILD = """
[suite.child]
extends = "full"
"""


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "bench.toml"


@pytest.fixture
def load(file):
    """Return a function that gives a suite of `TEXT`, one passage replaced and text appended."""

    def suite(old: str = "", new: str = "", more: str = "", name: str = "full") -> Suite:
        assert not old or TEXT.count(old) == 1, old
        file.write_text((TEXT.replace(old, new) if old else TEXT) + more)
        return bench_toml.load(file).suite(name)

    return suite


@pytest.fixture
def sentence(load, file):
    """Return a function that gives the sentence on a mistake, without the file's folder."""

    def on(*words: str, **named: str) -> str:
        with pytest.raises(BenchError) as caught:
            load(*words, **named)
        assert caught.value.code == Exit.USAGE
        assert len(str(caught.value).splitlines()) == 1
        return str(caught.value).removeprefix(f"{file.parent}/")

    return on


def test_a_suite_has_a_column_per_test_set(load):
    digits = SeqDigits()
    assert [tuple(column) for column in map(_parts, load().columns)] == [
        ("seq-digits", digits, (digits,)),
        ("seq-digits(digits=2)", SeqDigits(digits=2), (digits,)),
    ]


def _parts(column):
    return column.name, column.test, column.train


def test_the_short_form_trains_each_data_set_on_its_own_splits(load):
    both = 'datasets = ["seq-digits", { name = "seq-digits", digits = 2 }]\n'
    suite = load(TRAIN + TESTS, both)
    assert [column.train for column in suite.columns] == [
        (column.test,) for column in suite.columns
    ]
    assert [column.test for column in suite.columns] == [SeqDigits(), SeqDigits(digits=2)]


def test_a_suite_may_be_trained_on_several_data_sets(load):
    suite = load(TRAIN, 'train = ["seq-digits", { name = "seq-digits", digits = 3 }]\n')
    assert {column.train for column in suite.columns} == {(SeqDigits(), SeqDigits(digits=3))}


def test_entries_are_models_by_losses_by_decoders(load):
    entries = load().entries
    assert [(entry.model, entry.loss, entry.decoder) for entry in entries] == [
        (model, loss, decoder)
        for model in (CnnBiLSTM(), LeNetPP())
        for loss in (CTC(), RadialCTC())
        for decoder in (GreedyDecoder(), BeamDecoder(width=4))
    ]


def test_an_input_overrides_parts_of_what_the_model_was_made_for(load):
    entries = load().entries
    assert LeNetPP.default_input != FrameInput(normalization="signed")
    assert {entry.input for entry in entries if entry.model == LeNetPP()} == {LeNetPP.default_input}
    changed = replace(CnnBiLSTM.default_input, normalization="signed")
    assert {entry.input for entry in entries if entry.model == CnnBiLSTM()} == {changed}
    sized = load(BILSTM, BILSTM.replace('normalization = "signed"', "size = 12, crop = 8"))
    assert sized.entries[0].input == replace(CnnBiLSTM.default_input, size=12, crop=8)


def test_training_data_and_label_belong_to_one_model(load):
    for entry in load().entries:
        own = entry.model == LeNetPP()
        assert entry.train == ((SeqDigits(digits=3),) if own else ())
        assert entry.label == ("small" if own else "")


def test_a_named_recipe_replaces_and_a_table_overrides(load):
    base = Recipe(epochs=2, batch_size=32, learning_rate=0.1)
    suite = load()
    assert suite.recipe == base
    assert {(entry.model.name, entry.loss.name): entry.recipe for entry in suite.entries} == {
        ("cnn-bilstm", "ctc"): replace(base, learning_rate=0.001),
        ("cnn-bilstm", "radial-ctc"): replace(base, learning_rate=0.5),
        ("lenetpp", "ctc"): replace(base, epochs=3),
        ("lenetpp", "radial-ctc"): replace(base, epochs=3, learning_rate=0.5),
    }


@pytest.mark.parametrize(
    "recipe",
    [
        'recipe = { extends = "slow", epochs = 7 }\n',
        'recipe = { extends = "base", learning_rate = 0.001, epochs = 7 }\n',
        '[suite.full.recipe]\nextends = "slow"\nepochs = 7\n',
        "[suite.full.recipe]\nepochs = 7\nbatch_size = 32\nlearning_rate = 1e-3\n",
    ],
)
def test_the_recipe_of_a_suite_is_a_table_that_may_build_on_another(load, recipe):
    suite = load('recipe = "base"\n', recipe)
    assert suite.recipe == Recipe(epochs=7, batch_size=32, learning_rate=0.001)


def test_an_override_may_build_on_another_recipe(load):
    suite = load("{ epochs = 3 }", '{ extends = "slow", epochs = 9 }')
    assert suite.entries[-3].recipe == Recipe(epochs=9, batch_size=32, learning_rate=0.001)


def test_a_suite_needs_no_recipe_where_each_entry_has_one(load):
    suite = load("{ epochs = 3 }, train", '"slow", train', name="full")
    without = load(
        'losses = ["ctc", ' + RADIAL + "]", 'losses = [{ name = "ctc", recipe = "slow" }]'
    )
    assert without.entries[0].recipe == suite.entries[0].recipe


def test_a_protocol_of_the_file_scores_a_suite_and_warns_of_the_card(load):
    assert load().warnings == ()
    suite = load('protocol = "digits"', 'protocol = "upper"')
    assert suite.protocol.metrics == ("cer",)
    assert suite.warnings == tuple(
        f"suite 'full' scores {name} under upper; its card names digits, so the scores are "
        "not comparable with published ones"
        for name in ("seq-digits", "seq-digits(digits=2)")
    )


def test_a_run_warns_of_a_protocol_that_is_not_the_cards(load, bench):
    load('protocol = "digits"', 'protocol = "upper"')
    words = ("run", "full", "-m", "lenetpp", "-l", "ctc", "--limit", "1", "--dry-run")
    assert "warning: suite 'full' scores seq-digits under upper" in bench(*words).err


def test_an_alphabet_is_a_protocol_too(load):
    assert load().alphabet is None
    assert load("seeds = [0]", 'seeds = [0]\nalphabet = "upper"').alphabet.name == "upper"


def test_a_suite_that_extends_another_keeps_its_rows_and_adds_its_own(load):
    parent = load()
    more = CHILD + 'models = [{ name = "lenetpp", width = 8 }]\nlosses = ["enctc"]\n'
    child = load(more=more, name="child")
    added = child.entries[len(parent.entries) :]
    assert child.entries[: len(parent.entries)] == parent.entries
    assert [(e.model.label, e.loss.label, e.decoder.name) for e in added] == [
        ("lenetpp(width=8)", "enctc", "greedy"),
        ("lenetpp(width=8)", "enctc", "beam"),
    ]
    assert {entry.recipe for entry in added} == {parent.recipe}
    assert (child.columns, child.protocol, child.seeds) == (
        parent.columns,
        parent.protocol,
        parent.seeds,
    )


def test_a_suite_that_extends_another_adds_columns_for_all_rows(load):
    parent = load()
    more = CHILD + 'tests = [{ name = "seq-digits", digits = 3 }]\n'
    child = load(more=more, name="child")
    assert child.entries == parent.entries
    assert [column.test for column in child.columns] == [
        *(column.test for column in parent.columns),
        SeqDigits(digits=3),
    ]
    assert load(name="full").columns == parent.columns


def test_rows_of_another_recipe_stand_beside_the_inherited_ones(load):
    parent = load()
    child = load(more=CHILD + 'models = ["lenetpp"]\nrecipe = "slow"\n', name="child")
    added = child.entries[len(parent.entries) :]
    assert {entry.recipe.learning_rate for entry in added if entry.loss == CTC()} == {0.001}
    assert {entry.recipe for entry in child.entries[:8]} == {e.recipe for e in parent.entries}


def test_sweeps_and_tuned_entries_are_not_inherited_as_tables(load):
    tuned = (
        '\n[[suite.full.tuned]]\nmodel = "lenetpp"\nloss = "ctc"\n'
        'tuning = { sweep = "abc", sampler = "tpe", trials = 6, validations = 9 }\n'
        '[suite.full.sweep]\nmodel = "lenetpp"\ntrials = 2\n'
        "[suite.full.sweep.space]\nmodel.width = { randint = [2, 4] }\n"
    )
    parent = load(more=tuned + CHILD)
    child = load(more=tuned + CHILD, name="child")
    assert child.entries == parent.entries
    assert [bool(entry.tuning) for entry in child.entries].count(True) == 1
    assert parent.sweep
    assert child.sweep is None


def test_what_does_not_fit_is_left_out_on_demand(load):
    with_ace = load(RADIAL, '"ace"', more="skip_incompatible = true\n")
    assert [(e.model.name, e.loss.name, e.decoder.name) for e in with_ace.entries] == [
        (model, *rest)
        for model in ("cnn-bilstm", "lenetpp")
        for rest in (("ctc", "greedy"), ("ctc", "beam"), ("ace", "greedy"))
    ]


MISTAKES = [
    # Data sets.
    (TRAIN, "", 14, SUITE, ["requires 'datasets', or 'train' and 'tests'"]),
    (TESTS, "", 14, SUITE, ["requires 'datasets', or 'train' and 'tests'"]),
    (TRAIN, "train = []\n", 14, SUITE, ["requires 'datasets', or 'train' and 'tests'"]),
    (TRAIN, 'train = "seq-digits"\n', 18, SUITE, ['train = "seq-digits"', "`array`, got `str`"]),
    (TRAIN, TRAIN + 'datasets = ["seq-digits"]\n', 19, SUITE, ["either 'datasets'", "'train'"]),
    (TESTS, 'tests = ["seq-digit"]\n', 19, SUITE, ["dataset 'seq-digit'", "mean 'seq-digits'?"]),
    (TESTS, 'tests = ["seq-digits", "seq-digits"]\n', 19, SUITE, ["'seq-digits' is listed twice"]),
    (TRAIN, 'train = ["seq-digits", "seq-digits"]\n', 18, SUITE, ["'seq-digits' is listed twice"]),
    (OWN_TRAIN, OWN_TRAIN.replace("seq-digits", "seq-digit"), 22, SUITE, ["mean 'seq-digits'?"]),
    (OWN_TRAIN, OWN_TRAIN.replace("digits =", "digit ="), 22, SUITE, ["'digit'", "'digits'?"]),
    (OWN_TRAIN, 'train = "seq-digits"', 22, SUITE, ["'train' must be a list of data sets"]),
    (OWN_TRAIN, "train = []", 22, SUITE, ["'train' must be a list of data sets"]),
    (OWN_TRAIN, "train = [3]", 20, SUITE, ["a dataset must be a name, or a table with a 'name'"]),
    # Recipes.
    ('recipe = "slow"', 'recipe = "slwo"', 21, SUITE, ["no [recipe.slwo]", "mean 'slow'?"]),
    ('recipe = "slow"', "recipe = 3", 21, SUITE, ["'recipe' must be the name of a recipe"]),
    ('recipe = "base"\n', 'recipe = "bsae"\n', 26, SUITE, ["no [recipe.bsae]", "mean 'base'?"]),
    ('recipe = "base"\n', "recipe = 3\n", 26, SUITE, ["recipe = 3", "got `int`"]),
    (
        'recipe = "base"\n',
        'recipe = { extends = "slwo" }\n',
        26,
        f"{SUITE}.recipe",
        ["no [recipe.slwo]", "mean 'slow'?"],
    ),
    (
        'recipe = "base"\n',
        'recipe = { extends = "base", epoch = 3 }\n',
        26,
        f"{SUITE}.recipe",
        ["'epoch'", "did you mean 'epochs'?"],
    ),
    ("{ epochs = 3 }", "{ epoch = 3 }", 22, SUITE, ["'epoch'", "did you mean 'epochs'?"]),
    ("{ epochs = 3 }", "{ epochs = 0 }", 22, SUITE, ["epochs = 0", "set one of the two"]),
    ("{ epochs = 3 }", '{ extends = "slwo" }', 22, SUITE, ["no [recipe.slwo]", "mean 'slow'?"]),
    ("{ epochs = 3 }", "{ extends = 3 }", 22, SUITE, ["extends = 3", "name of a recipe"]),
    ("learning_rate = 0.5", "learning_rate = 0", 24, SUITE, ["learning_rate = 0", "> 0"]),
    ('extends = "base"', 'extends = "bse"', 11, "recipe.slow", ["[recipe.bse]", "mean 'base'?"]),
    (
        'extends = "base"',
        'extends = "slow"',
        11,
        "recipe.slow",
        ["'slow': this recipe extends itself"],
    ),
    ('extends = "base"', "extends = [3]", 11, "recipe.slow", ["extends = [3]", "name of a recipe"]),
    ("rate = 0.001", 'rate = "fast"', 12, "recipe.slow", ['learning_rate = "fast"', "`float`"]),
    ("rate = 0.001", "rat = 0.001", 12, "recipe.slow", ["'learning_rat'", "'learning_rate'?"]),
    ("epochs = 2\n", "", 25, SUITE, ["set one of the two to at least 1 in the recipe"]),
    # Inputs.
    ('"signed"', '"singed"', 21, SUITE, ['normalization = "singed"', "did you mean 'signed'?"]),
    ("normalization =", "normalisation =", 21, SUITE, ["did you mean 'normalization'?"]),
    ('normalization = "signed"', "size = -1", 21, SUITE, ["size = -1", ">= 0"]),
    ('normalization = "signed"', "size = 8, crop = 9", 21, SUITE, ["crop = 9", "size = 8"]),
    ('{ normalization = "signed" }', '"signed"', 21, SUITE, ["'input' must be a table"]),
    # Labels, and what belongs to other components.
    ('label = "small"', "label = 3", 22, SUITE, ["'label' must be a text"]),
    ('label = "small"', 'lable = "small"', 22, SUITE, ["'lable'", "did you mean 'label'?"]),
    (RADIAL, '{ name = "radial-ctc", input = { size = 8 } }', 24, SUITE, ["'input'", "on a model"]),
    (RADIAL, '{ name = "radial-ctc", label = 3 }', 24, SUITE, ["'label' must be a text"]),
    (RADIAL, '{ name = "radial-ctc", recipes = "slow" }', 24, SUITE, ["did you mean 'recipe'?"]),
    # Decoders.
    (BEAM, '"baem"', 25, SUITE, ["decoder 'baem'", "did you mean 'beam'?"]),
    (BEAM, BEAM.replace("width", "widht"), 25, SUITE, ["'widht'", "did you mean 'width'?"]),
    (BEAM, BEAM.replace("4", "0"), 25, SUITE, ["width = 0", ">= 1"]),
    (BEAM, '{ name = "beam", recipe = "slow" }', 25, SUITE, ["'recipe'", "on a model"]),
    (BEAM, '{ name = "lexicon", words = "no.txt" }', 25, SUITE, ["no.txt", "does not exist"]),
    (BEAM, '{ name = "lexicon" }', 25, SUITE, ["the key 'words' is missing"]),
    (BEAM, '"greedy"', 25, SUITE, ["decoder 'greedy' is listed twice"]),
    (f'decoders = ["greedy", {BEAM}]', "decoders = []", 25, SUITE, ["'decoders' is empty"]),
    # Protocols.
    ('protocol = "digits"\n', "", 14, SUITE, ["the key 'protocol' is missing"]),
    ('"digits"', '"uper"', 16, SUITE, ["protocol 'uper'", "did you mean 'upper'?"]),
    ("seeds = [0]", 'seeds = [0]\nalphabet = "uper"', 18, SUITE, ["did you mean 'upper'?"]),
    ("seeds = [0]", 'seeds = [0]\naverage = "men"', 18, SUITE, ["did you mean 'mean'?"]),
    ('["cer"]', '["cr"]', 3, "protocol.upper", ["metric 'cr'", "did you mean 'cer'?"]),
    ("metrics =", "metric =", 3, "protocol.upper", ["'metric'", "did you mean 'metrics'?"]),
    (
        "[protocol.upper]",
        "[protocol.digits]",
        1,
        "protocol.digits",
        ["is one of bench itself", "rename"],
    ),
    # Other suites.
    ("seeds = [0]", 'seeds = [0]\nextends = "ful"', 18, SUITE, ["'ful'", "did you mean 'full'?"]),
    ("seeds = [0]", 'seeds = [0]\nextends = "full"', 18, SUITE, ["suite 'full' extends itself"]),
    ("seeds = [0]", "seeds = [0]\nextends = 3", 18, SUITE, ["extends = "]),
    # What does not fit.
    (BILSTM, '"cnn-attention"', 14, SUITE, ["'cnn-attention' emits seq2seq", "skip_incompatible"]),
    (BILSTM, '"crnn"', 14, SUITE, ["'crnn' reads image", "skip_incompatible = true"]),
    (RADIAL, '"vac"', 14, SUITE, ["needs visual features", "'lenetpp' has none"]),
    (RADIAL, '"ace"', 14, SUITE, ["decoder 'beam' cannot read the output of loss 'ace'"]),
    (OWN_TRAIN, 'train = ["iiit5k"]', 14, SUITE, ["'iiit5k' gives image", "reads frames"]),
]


@pytest.mark.parametrize(("old", "new", "line", "section", "parts"), MISTAKES)
def test_a_mistake_is_one_sentence_with_its_line(sentence, old, new, line, section, parts):
    text = sentence(old, new)
    assert text.startswith(f"bench.toml:{line}: [{section}] ")
    for part in parts:
        assert part in text


@pytest.mark.parametrize(("old", "new", "line", "section", "parts"), MISTAKES[:40])
def test_a_mistake_in_an_inherited_key_is_located_in_the_suite_that_sets_it(
    sentence, old, new, line, section, parts
):
    text = sentence(old, new, more=CHILD + 'losses = ["enctc"]\n', name="child")
    assert text.startswith(f"bench.toml:{line}: [{section}] ")
    for part in parts:
        assert part in text


def test_a_suite_that_leads_back_to_itself_over_another_is_refused(sentence):
    more = '\n[suite.a]\nextends = "b"\n[suite.b]\nextends = "a"\n'
    assert "bench.toml:29: [suite.a] extends = 'a': suite 'a' extends itself" in sentence(more=more)


def test_nothing_that_fits_together_is_refused(sentence):
    more = "skip_incompatible = true\n"
    text = sentence('losses = ["ctc", ' + RADIAL + "]", 'losses = ["ce"]', more=more)
    fault = "no model, loss and decoder of this suite are compatible"
    assert text.startswith(f"bench.toml:20: [{SUITE}] {fault}")


def test_test_sets_that_share_samples_are_refused(file):
    file.write_text(
        '[suite.full]\nprotocol = "str-36"\ntrain = ["synth90k"]\n'
        'tests = ["ic13-857", "ic13-1015"]\nmodels = ["crnn"]\nlosses = ["ctc"]\n'
        "recipe = { epochs = 1, batch_size = 1, learning_rate = 1 }\n"
    )
    with pytest.raises(
        BenchError, match=r"toml:4: \[suite\.full\] 'ic13-\d+' and 'ic13-\d+' share"
    ):
        bench_toml.load(file).suite("full")


@pytest.mark.parametrize("base", ["unused", "nowhere"])
def test_a_recipe_that_no_suite_uses_is_checked_too(sentence, base):
    text = sentence(more=f'\n[recipe.unused]\nextends = "{base}"\nepochs = 1\n')
    assert "[recipe.unused]" in text
    assert f"'{base}'" in text or f"[recipe.{base}]" in text


def test_a_synthetic_test_set_never_goes_by_the_name_of_the_real_one(file):
    file.write_text(
        '[suite.full]\nprotocol = "str-36"\ntrain = ["synth90k"]\n'
        'tests = ["svt", { name = "iiit5k", synthetic = true }]\n'
        'models = ["crnn"]\nlosses = ["ctc"]\n'
        "recipe = { epochs = 1, batch_size = 1, learning_rate = 1 }\n"
    )
    suite = bench_toml.load(file).suite("full")
    assert [column.name for column in suite.columns] == ["svt", "iiit5k-synthetic"]


def test_the_files_of_a_decoder_are_found_from_the_folder_of_bench_toml(load, file, monkeypatch):
    (file.parent / "words.txt").write_text("12\n34\n")
    suite = load(BEAM, '{ name = "lexicon", words = "words.txt" }')
    monkeypatch.chdir("/")
    decoder = suite.entries[1].decoder
    assert decoder.label == "lexicon(words=words.txt)"
    assert Path(decoder.words) == file.parent / "words.txt"
    assert len(decoder.spec()["parameters"]["words"]["sha256"]) == 64


AUGMENTED = """
[recipe.drawn]
extends = "base"
augmentation = { name = "sign-language", rescale = 0.1 }

[recipe.plain]
extends = "drawn"
augmentation = "none"

[recipe.wrong]
augmentation = { name = "scene-text", magnitude = 11 }
"""


def test_an_augmentation_is_inherited_and_taken_back(tmp_path):
    file = tmp_path / "bench.toml"
    listed = TEXT.replace('recipe = "slow", ', 'recipe = "drawn", ').replace(
        "recipe = { epochs = 3 }", 'recipe = "plain"'
    )
    file.write_text(listed + AUGMENTED)
    found = {entry.recipe.augmentation for entry in bench_toml.load(file).suite("full").entries}
    assert found == {SignLanguage(rescale=0.1), None}


def test_an_augmentation_is_found_by_a_recipe_or_by_its_own_name(tmp_path):
    file = tmp_path / "bench.toml"
    file.write_text(TEXT + AUGMENTED)
    config = bench_toml.load(file)
    assert augmentation_of(config, "drawn") == SignLanguage(rescale=0.1)
    assert augmentation_of(config, "scene-text") == SceneText()
    lines = file.read_text().splitlines()
    wrong = lines.index('augmentation = { name = "scene-text", magnitude = 11 }') + 1
    plain = lines.index('augmentation = "none"') + 1
    for name, line, message in (
        ("wrong", wrong, "magnitude = 11.*<= 10"),
        ("plain", plain, "recipe 'plain' has no augmentation"),
        ("base", lines.index("[recipe.base]") + 1, "recipe 'base' has no augmentation"),
    ):
        with pytest.raises(BenchError, match=rf"bench\.toml:{line}: .*{message}"):
            augmentation_of(config, name)
    with pytest.raises(BenchError, match="no recipe or augmentation 'scene'; did you mean 'scene-"):
        augmentation_of(config, "scene")
