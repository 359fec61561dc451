"""bench.toml: each mistake is one sentence with file, line, section, key and the nearest word."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import bench
from bench.config import bench_toml
from bench.config.missing import missing_names
from bench.config.recipe import Recipe, Resources
from bench.config.suite import Column, TrainedEntry
from bench.core import toml_text
from bench.core.errors import BenchError, Exit
from bench.data.datasets.seq_digits import SeqDigits
from bench.decoding.greedy import GreedyDecoder
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.trials import grid

DATASETS = 'datasets = [{ name = "seq-digits", digits = 2, rounds = 1 }]'
MODELS = 'models = [{ name = "cnn-bilstm", width = 2, hidden = 4 }]'
LOSSES = 'losses = ["ctc", "radial-ctc"]'
MISSION = {"seq-mnist", "scene-text", "handwriting", "sign-language"}
SUITE, RECIPE = "suite.tiny", "suite.tiny.recipe"


@pytest.fixture
def edit(home):
    """Return a function that replaces one passage of the tiny bench.toml and gives its path."""
    file = home / "bench.toml"

    def change(old: str, new: str) -> Path:
        text = file.read_text()
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        file.write_text(text.replace(old, new))
        return file

    return change


@pytest.fixture
def mistake(edit):
    """Return a function that makes a mistake in bench.toml and gives the sentence about it."""

    def make(old: str, new: str) -> str:
        return sentence(edit(old, new))

    return make


def sentence(file: Path) -> str:
    """Return what is said of a bench.toml without its folder's name."""
    with pytest.raises(BenchError) as caught:
        bench_toml.load(file).suite("tiny")
    said = str(caught.value)
    assert caught.value.code == Exit.USAGE
    assert said.startswith(f"{file}:")
    assert len(said.splitlines()) == 1
    return said.removeprefix(f"{file.parent}/")


def training_keys() -> list[str]:
    """Return the keys of the trainings of the suite `tiny`."""
    trials = grid.trials(bench_toml.load().suite("tiny"))
    return [training.key for trial in trials for training in trial.trainings]


def test_the_tiny_suite_is_what_its_file_says(suite):
    assert suite.name == "tiny"
    assert suite.about == "Two digits, one epoch, seconds."
    assert suite.protocol.name == "digits"
    digits, model = SeqDigits(digits=2, rounds=1), CnnBiLSTM(width=2, hidden=4)
    recipe = Recipe(epochs=1, batch_size=64, learning_rate=0.01)
    assert suite.columns == (Column("seq-digits", digits, (digits,)),)
    assert suite.entries == tuple(
        TrainedEntry(model, loss, GreedyDecoder(), model.default_input, recipe)
        for loss in (CTC(), RadialCTC())
    )
    assert suite.seeds == (0, 1)
    assert suite.recipe == recipe
    assert suite.resources == Resources()
    assert suite.average == "weighted"
    assert suite.warnings == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "section", "parts"),
    [
        # Keys.
        ("models", "modles", 6, SUITE, ["'modles'", "did you mean 'models'?"]),
        ("seeds", "sedes", 4, SUITE, ["'sedes'", "did you mean 'seeds'?"]),
        ("epochs", "epoch", 10, RECIPE, ["'epoch'", "did you mean 'epochs'?"]),
        ("batch_size", "zzzz", 11, RECIPE, ["'zzzz'", "batch_size", "learning_rate"]),
        ("learning_rate = 0.01\n", "", 9, RECIPE, ["'learning_rate' is missing in the recipe"]),
        (MODELS + "\n", "", 1, SUITE, ["the list 'models' is empty"]),
        ('protocol = "digits"\n', "", 1, SUITE, ["'protocol' is missing"]),
        # Types.
        ('"digits"', "3", 3, SUITE, ["'protocol = 3'", "`str`, got `int`"]),
        ("[0, 1]", "2", 4, SUITE, ["'seeds = 2'", "`array`, got `int`"]),
        ("[0, 1]", '["0"]', 4, SUITE, ["seeds", "`int`, got `str`"]),
        (LOSSES, 'losses = "ctc"', 7, SUITE, ['losses = "ctc"', "`array`, got `str`"]),
        (LOSSES, "losses = [7]", 7, SUITE, ["losses = [7]", "got `int`"]),
        ("epochs = 1", 'epochs = "1"', 10, RECIPE, ['epochs = "1"', "`int`, got `str`"]),
        ("epochs = 1", "epochs = 1.5", 10, RECIPE, ["epochs = 1.5", "`int`, got `float`"]),
        ("0.01", "true", 12, RECIPE, ["learning_rate = true", "`float`, got `bool`"]),
        # Ranges.
        ("epochs = 1", "epochs = 0", 10, RECIPE, ["epochs = 0", "set one of the two"]),
        ("64", "-64", 11, RECIPE, ["batch_size = -64", ">= 1"]),
        ("0.01", "0.0", 12, RECIPE, ["learning_rate = 0.0", "> 0"]),
        ("0.01", "nan", 12, RECIPE, ["learning_rate = ", "> 0"]),
        ("0.01", "0.01\nselect = 'bset'", 13, RECIPE, ["select", "bset"]),
        (
            "0.01",
            "0.01\nprecision = 'half'",
            13,
            RECIPE,
            ["precision", "one of 'float32', 'tf32', 'bf16', 'fp16'"],
        ),
        ("0.01", "0.01\nbetas = [0.9, 1]", 13, RECIPE, ["betas", "< 1"]),
        ("0.01", "0.01\nbetas = [0.9]", 13, RECIPE, ["betas", "length 2"]),
        ("0.01", "0.01\naccumulate = 0", 13, RECIPE, ["accumulate = 0", ">= 1"]),
        ("[0, 1]", "[0, -1]", 4, SUITE, ["seeds = [0, -1]", ">= 0"]),
        # Augmentations.
        (
            "0.01",
            "0.01\naugmentation = 'sign-langage'",
            13,
            RECIPE,
            ["no augmentation 'sign-langage'", "did you mean 'sign-language'?"],
        ),
        (
            "0.01",
            "0.01\naugmentation = 'nonne'",
            13,
            RECIPE,
            ["no augmentation 'nonne'", "did you mean 'none'?"],
        ),
        (
            "0.01",
            "0.01\naugmentation = { name = 'sign-language', rescale = 2 }",
            13,
            RECIPE,
            ["'augmentation': 'rescale = 2'", "<= 1"],
        ),
        (
            "0.01",
            "0.01\n[suite.tiny.recipe.augmentation]\nname = 'sign-language'\nrescal = 0.1",
            13,
            RECIPE,
            ["'rescal'", "did you mean 'rescale'?"],
        ),
        ("0.01", "0.01\naugmentation = 3", 13, RECIPE, ["a name, or a table with a 'name'"]),
        ("0.01", "0.01\naugmentation = { rescale = 0 }", 13, RECIPE, ["table with a 'name'"]),
        (
            "0.01",
            "0.01\naugmentation = 'scene-text'",
            6,
            SUITE,
            ["'scene-text' is for image, model 'cnn-bilstm' reads frames", "'none'"],
        ),
        # Names.
        ('"digits"', '"digit"', 3, SUITE, ["protocol 'digit'", "did you mean 'digits'?"]),
        (
            '"seq-digits"',
            '"seq-digit"',
            5,
            SUITE,
            ["dataset 'seq-digit'", "did you mean 'seq-digits'?"],
        ),
        (
            '"cnn-bilstm"',
            '"cnn-blstm"',
            6,
            SUITE,
            ["model 'cnn-blstm'", "did you mean 'cnn-bilstm'?"],
        ),
        ('"radial-ctc"', '"radial"', 7, SUITE, ["loss 'radial'", "did you mean 'radial-ctc'?"]),
        ('"cnn-bilstm"', '"zzzz"', 6, SUITE, ["model 'zzzz'", "`bench ls datasets | models |"]),
        # Components.
        ("width", "widht", 6, SUITE, ["'widht'", "did you mean 'width'?"]),
        ("hidden = 4", "hidden = 0", 6, SUITE, ["hidden = 0", ">= 1"]),
        ("digits = 2", 'digits = "two"', 5, SUITE, ['digits = "two"', "`int`, got `str`"]),
        (LOSSES, 'losses = ["ctc", "ctc"]', 7, SUITE, ["loss 'ctc'", "twice"]),
        (
            LOSSES,
            'losses = ["radial-ctc", { name = "radial-ctc", eta = 0.2 }]',
            7,
            SUITE,
            ["loss 'radial-ctc'", "twice"],
        ),
        ("rounds = 1", "rounds = 1, ramp = [0.5]", 5, SUITE, ["end_frames = 2", "ramp"]),
        # Lists.
        ("[0, 1]", "[]", 4, SUITE, ["'seeds'"]),
        ("[0, 1]", "[3, 1, 3]", 4, SUITE, ["'seeds'", "without duplicates"]),
    ],
)
def test_a_mistake_is_located_and_said(mistake, old, new, line, section, parts):
    said = mistake(old, new)
    assert said.startswith(f"bench.toml:{line}: [{section}] ")
    for part in parts:
        assert part in said


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        (DATASETS, "datasets = []", 1, "requires 'datasets', or 'train' and 'tests'"),
        (MODELS, "models = []", 6, "model"),
        (LOSSES, "losses = []", 7, "loss"),
        ('name = "cnn-bilstm", ', "", 6, "name"),
        ('"seq-digits"', "3", 5, "name"),
        ('"ctc"', "{ }", 7, "name"),
    ],
)
def test_a_list_without_a_name_is_located(mistake, old, new, line, word):
    said = mistake(old, new)
    assert word in said
    assert said.startswith(f"bench.toml:{line}: [{SUITE}] ")


def test_a_wrong_parameter_is_located_at_its_own_component(mistake):
    said = mistake(
        MODELS,
        'models = [\n  { name = "lenetpp", width = 2 },\n  { name = "cnn-bilstm", width = 0 },\n]',
    )
    assert "width = 0" in said
    assert said.startswith("bench.toml:8: ")


def test_a_wrong_parameter_is_located_at_its_own_entry_of_the_same_name(mistake):
    entries = [f'  {{ name = "radial-ctc", eta = {eta} }},\n' for eta in (0.1, 0.2, 1.5, 0.3)]
    said = mistake(LOSSES, f"losses = [\n{''.join(entries)}]")
    assert "eta = 1.5" in said
    assert said.startswith("bench.toml:10: ")


def test_a_word_in_the_about_line_is_not_taken_for_its_key(edit):
    edit('"Two digits, one epoch, seconds."', '"How much the seeds matter."')
    said = sentence(edit("[0, 1]", "[0, 0]"))
    assert said.startswith("bench.toml:4: ")


def test_a_misspelt_section_is_located_at_its_header(mistake):
    said = mistake("[suite.tiny.recipe]", "[suite.tiny.recip]")
    assert "did you mean 'recipe'?" in said
    assert said.startswith("bench.toml:9: ")


def test_a_wrong_resource_is_located_in_its_section(mistake):
    said = mistake("learning_rate = 0.01", "learning_rate = 0.01\n[suite.tiny.resources]\ncpus = 0")
    assert said.startswith("bench.toml:14: [suite.tiny.resources] ")
    assert "cpus = 0" in said


@pytest.mark.parametrize(
    ("wrong", "right"),
    [('optimizer = "adma"', "adam"), ('schedule = "one-cicle"', "one-cycle")],
)
def test_a_wrong_word_of_few_shows_the_right_one(mistake, wrong, right):
    said = mistake("learning_rate = 0.01", f"learning_rate = 0.01\n{wrong}")
    assert said.startswith("bench.toml:13: ")
    assert right in said


@pytest.mark.parametrize(
    ("keys", "part"),
    [
        ("schedule = 'multi-step'", "requires 'milestones'"),
        ("schedule = 'multi-step'\nmilestones = [2]", "requires 'milestones'"),
        ("schedule = 'multi-step'\ndecay = 0.2", "requires 'milestones'"),
        ("milestones = [2]\ndecay = 0.2", "here it is 'constant'"),
        ("schedule = 'one-cycle'\ndecay = 0.2", "here it is 'one-cycle'"),
        (
            "schedule = 'multi-step'\ndecay = 0.2\nmilestones = [2, 2]",
            "must be in increasing order",
        ),
        (
            "schedule = 'multi-step'\ndecay = 0.2\nmilestones = [3, 2]",
            "must be in increasing order",
        ),
        (
            "optimizer = 'sgd'\nbetas = [0.5, 0.999]",
            "'betas' has an effect only with optimizer = 'adam' or 'adamw', and here it is 'sgd'",
        ),
        (
            "momentum = 0.9",
            "'momentum' has an effect only with optimizer = 'sgd', and here it is 'adam'",
        ),
        (
            "schedule = 'one-cycle'\nbetas = [0.5, 0.999]",
            "'betas' has an effect only with schedule = 'constant' or 'cosine' or 'multi-step'",
        ),
        ("schedule = 'one-cycle'\noptimizer = 'sgd'\nmomentum = 0.9", "here it is 'one-cycle'"),
        (
            "schedule = 'one-cycle'\nwarmup = 1",
            "'warmup' has an effect only with schedule = 'constant' or",
        ),
    ],
)
def test_what_a_recipe_needs_and_nothing_reads_is_said(mistake, keys, part):
    said = mistake("learning_rate = 0.01", f"learning_rate = 0.01\n{keys}")
    assert said.startswith(f"bench.toml:9: [{RECIPE}] ")
    assert part in said


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("[suite.tiny]", "[suite.tiny", 1), ("[0, 1]", "[0, 1", 5), ('"ctc"', "ctc", 7)],
)
def test_broken_toml_is_said_with_its_line(mistake, old, new, line):
    said = mistake(old, new)
    assert "TOML" in said
    assert f"line {line}" in said


@pytest.mark.parametrize(("key", "hint"), [("suites", "'suite'"), ("version", "suite")])
def test_unknown_top_level_key(edit, key, hint):
    said = sentence(edit("[suite.tiny]", f"{key} = 1\n[suite.tiny]"))
    assert said.startswith(f"bench.toml:1: there is no key '{key}' here")
    assert hint in said


def test_of_several_unknown_top_level_keys_the_first_is_said(edit):
    keys = "".join(f"key{number} = 1\n" for number in range(9))
    said = sentence(edit("[suite.tiny]", f"{keys}[suite.tiny]"))
    assert said.startswith("bench.toml:1: there is no key 'key0' here")


def test_unknown_suite_suggests_the_nearest(home):
    with pytest.raises(BenchError, match="no suite 'tny'; did you mean 'tiny'") as caught:
        bench_toml.load(home / "bench.toml").suite("tny")
    assert str(home / "bench.toml") in str(caught.value)


@pytest.mark.parametrize(
    "text", ["suite = 3", "suite = { tiny = 3 }", "[[suite]]\nname = 'tiny'", "suite = []"]
)
def test_a_suite_that_is_no_table_is_said(home, text):
    (home / "bench.toml").write_text(text)
    assert "suite" in sentence(home / "bench.toml").partition(": ")[2]


@pytest.mark.parametrize("content", [b"a = " + b"[" * 9000, b"a = " + b"9" * 5000])
def test_a_file_that_is_no_toml_is_said(home, content):
    (home / "bench.toml").write_bytes(content)
    assert "this is not TOML" in sentence(home / "bench.toml")


def test_a_byte_order_mark_is_no_part_of_a_file(home):
    file = home / "bench.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    config = bench_toml.load(file)
    assert [*config.tables] == ["tiny"]
    assert toml_text.encoded(config.text, file) == file.read_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda file: file.write_bytes("a = 1\n".encode("utf-16")),
            " is UTF-16, and TOML is UTF-8",
        ),
        (
            lambda file: file.write_bytes("a = 1".encode("utf-16-le")),
            " is UTF-16, and TOML is UTF-8",
        ),
        (lambda file: file.write_bytes(b"# a\n# \xe4\n"), ":2: this line is not UTF-8"),
        (lambda file: file.write_bytes(b"# a\r[suite.a]\r"), ": its lines end with carriage ret"),
        (lambda file: file.mkdir(), r" cannot be read \(Is a directory\)"),
        (os.mkfifo, r" cannot be read \(a named pipe, not a regular file\)"),
        (lambda file: file.symlink_to("/dev/zero"), r" cannot be read \(a device"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_another_file_in_the_place_of_bench_toml_is_named(home, make, message, named):
    file = home / "bench.toml"
    file.unlink()
    make(file)
    with pytest.raises(BenchError, match=f"^{file}{message}"):
        bench_toml.load(file if named else None)


def test_a_broken_link_is_not_passed_over_for_a_file_above(home, bench, monkeypatch):
    (home / "below").mkdir()
    monkeypatch.chdir(home / "below")
    (home / "below" / "bench.toml").symlink_to("moved.toml")
    answer = bench("ls")
    assert answer.code == 2
    assert "below/bench.toml cannot be read (No such file or directory)" in answer.err


def test_a_working_folder_that_was_removed_is_said(home, bench, monkeypatch):
    (home / "below").mkdir()
    monkeypatch.chdir(home / "below")
    (home / "below").rmdir()
    answer = bench("ls")
    assert (answer.code, answer.err) == (
        2,
        "bench: the working folder was removed; change to an existing one\n",
    )


ODD = ["", ".", "..", "a/b", "/a", "a b", "<b>x</b>", "a|b", "a\x1b[2J", "a" * 300, "-a", "größe"]


@pytest.mark.parametrize("name", ODD)
def test_a_name_that_cannot_stand_in_paths_and_tables_is_refused(home, bench, name):
    file = home / "bench.toml"
    file.write_text(file.read_text().replace("suite.tiny", f"suite.{json.dumps(name)}"))
    for words in (["run", "--", name], ["status", "tiny"], ["--config", str(file), "board"]):
        answer = bench(*words)
        assert answer.code == Exit.USAGE
        assert f"{file}:1: '" in answer.err
        assert "is not a valid name of a suite" in answer.err
        assert "\x1b" not in answer.err
    assert not (home / "results").exists()


@pytest.mark.parametrize("kind", ["recipe", "protocol", "dataset"])
def test_names_of_other_tables_follow_the_rule_of_suites(home, kind):
    file = home / "bench.toml"
    file.write_text(f'{file.read_text()}\n[{kind}."a b"]\n')
    assert f"'a b' is not a valid name of a {kind}" in sentence(file)


@pytest.mark.parametrize("label", ["", "a\x1b[2J", "a" * 300, "a\nb"])
def test_labels_that_boards_cannot_print_are_refused(home, label):
    file = home / "bench.toml"
    text = file.read_text()
    model = f'{{ name = "cnn-bilstm", label = {json.dumps(label)}, '
    file.write_text(text.replace('{ name = "cnn-bilstm", ', model))
    assert "which boards cannot print" in sentence(file)
    published = (
        f'[[suite.tiny.published]]\nlabel = {json.dumps(label)}\nsource = "x"\nscores = {{}}'
    )
    file.write_text(f"{text}\n{published}\n")
    assert "which boards cannot print" in sentence(file)


def test_an_empty_file_has_no_suite(home):
    (home / "bench.toml").write_text("")
    assert "there is no suite 'tiny'" in sentence(home / "bench.toml")


def test_a_wrong_name_in_one_suite_is_no_matter_to_another(home):
    text = (home / "bench.toml").read_text()
    other = text.replace("suite.tiny", "suite.other").replace("seq-digits", "no")
    (home / "bench.toml").write_text(f"{text}\n{other}")
    loaded = bench_toml.load()
    assert [entry.loss for entry in loaded.suite("tiny").entries] == [CTC(), RadialCTC()]
    with pytest.raises(BenchError, match=r"toml:18: \[suite\.other\] needs .+ 'no'"):
        loaded.suite("other")


def test_the_command_line_says_a_mistake_in_one_line(edit, bench):
    file = edit("models", "modles")
    answer = bench("status", "tiny")
    assert answer.code == Exit.USAGE
    assert answer.out == ""
    assert answer.err == (
        f"bench: {file}:6: [suite.tiny] there is no key 'modles' here; did you mean 'models'?\n"
    )


def test_a_file_that_is_not_there_is_said(home, bench):
    with pytest.raises(BenchError, match=r"nowhere\.toml: there is no such file"):
        bench_toml.load(home / "nowhere.toml")
    answer = bench("--config", "nowhere.toml", "status", "tiny")
    assert answer.code == Exit.USAGE
    assert answer.err.startswith("bench: nowhere.toml: there is no such file")
    assert "--config" in answer.err
    assert answer.err.count("\n") == 1


def test_a_folder_is_no_file(home):
    with pytest.raises(BenchError, match="Is a directory"):
        bench_toml.load(home)


def test_the_nearest_file_above_is_taken(home, monkeypatch):
    deep = home / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    loaded = bench_toml.load()
    assert loaded.path == home / "bench.toml"
    assert loaded.results == home / "results"
    assert loaded.leaderboards == home / "leaderboards"
    (home / "a" / "bench.toml").write_text("")
    assert bench_toml.load().path == home / "a" / "bench.toml"


def test_a_named_file_is_taken_with_its_folder(home, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (home / "bench.toml").rename(elsewhere / "other.toml")
    monkeypatch.chdir(elsewhere.parent)
    loaded = bench_toml.load(Path(elsewhere.name) / "other.toml")
    assert loaded.results == elsewhere / "results"
    assert loaded.suite("tiny").name == "tiny"


def test_without_a_file_benchs_own_is_taken(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = bench_toml.load()
    package = Path(bench.__file__).parent
    assert loaded.path in {package / "bench.toml", package.parent / "bench.toml"}
    assert loaded.results == tmp_path / "results"
    quick = loaded.suite("quick")
    trials = grid.trials(quick)
    assert len(trials) == len(quick.entries) * len(quick.seeds)
    keys = [task.key for trial in trials for task in trial.tasks]
    assert len(set(keys)) == len(keys) == 2 * len(trials)


def test_every_suite_of_benchs_own_file_resolves(prepared):
    loaded = bench_toml.load()
    assert {"quick", *MISSION} <= loaded.tables.keys()
    for name, table in loaded.tables.items():
        assert missing_names(table, loaded.protocols) == {}
        suite = loaded.suite(name)
        assert grid.trials(suite)
        assert suite.about
        unstripped = name.endswith("-unstripped")
        assert bool(suite.warnings) is unstripped, "other protocols are not those of the cards"


@pytest.mark.parametrize(
    ("old", "new"),
    [("learning_rate = 0.01", "learning_rate = 1"), ("rounds = 1", "rounds = 1, ramp = [0, 1]")],
)
def test_a_whole_number_gives_the_key_of_its_float(edit, home, old, new):
    edit(old, new)
    whole = training_keys()
    text = (home / "bench.toml").read_text()
    exact = new.replace("[0, 1]", "[0.0, 1.0]").replace("rate = 1", "rate = 1.0")
    assert exact != new
    (home / "bench.toml").write_text(text.replace(new, exact))
    assert training_keys() == whole
