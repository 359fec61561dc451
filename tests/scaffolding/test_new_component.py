"""`bench new` writes components that meet their contract; it explains what breaks them."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from bench.config.new_plugin import with_plugin
from bench.core import plugin_files, registry
from bench.core.errors import BenchError
from bench.evaluation.metrics import find_metric
from bench.scaffolding.new_component import KINDS, NewComponent
from bench.testing.kits import kit_of

OWN = {kind: f"my-{kind}" for kind in KINDS}

# Of each kind: what is replaced in the written file, which check fails, and what it explains.
BROKEN = {
    "loss: NaN for an empty target": (
        "loss",
        "negative_log_likelihood(log_probs, targets), targets)\n",
        (
            "negative_log_likelihood(log_probs, targets), targets)\n"
            "        ctc = ctc + 0 / targets.label_lengths.min()\n"
        ),
        "finite-loss",
        "the objective is not finite for labels [] in 4 frames or steps",
    ),
    "loss: one value per sample": (
        "loss",
        "return ctc + self.weight * sample_mean(divergence)",
        "return ctc + self.weight * divergence",
        "scalar",
        "objective() returned a value per sample; return a scalar tensor",
    ),
    "loss: a sum over samples": (
        "loss",
        "return ctc + self.weight * sample_mean(divergence)",
        "return len(divergence) * ctc + self.weight * divergence.sum()",
        "batch-size",
        "take the mean over the batch by bench.nn.global_batch.sample_mean",
    ),
    "loss: infeasible samples count": (
        "loss",
        "divergence = divergence.where(self.feasible(targets), 0)",
        "",
        "infeasible-samples",
        "set the losses of these samples to 0",
    ),
    "loss: padding counts": (
        "loss",
        "(log_probs.mean(-1) * valid).sum(1) / valid.sum(1)",
        "log_probs.mean((1, 2))",
        "padding",
        "leave out frames from targets.lengths on",
    ),
    "loss: it depends on the row": (
        "loss",
        "divergence = divergence.where(",
        (
            "divergence = divergence * divergence.new_tensor([*range(len(divergence))])\n"
            "        divergence = divergence.where("
        ),
        "batch-order",
        "let no sample depend on its row",
    ),
    "loss: the wrong sign": (
        "loss",
        "return ctc +",
        "return -ctc +",
        "descent",
        "check the sign of the objective",
    ),
    "loss: a tensor of the host": (
        "loss",
        "divergence = divergence.where(",
        (
            "divergence = divergence + 0 * targets.label_lengths\n"
            "        divergence = divergence.where("
        ),
        "devices",
        "move lengths by .to(labels.device, non_blocking=True)",
    ),
    "loss: a seed of its own": (
        "loss",
        "        log_probs = head(",
        "        import torch\n\n        torch.manual_seed(0)\n        log_probs = head(",
        "random-generators",
        "it seeds torch's global generator",
    ),
    "loss: draws of NumPy": (
        "loss",
        "        log_probs = head(",
        "        import numpy\n\n        numpy.random.rand()\n        log_probs = head(",
        "random-generators",
        "it draws from, or seeds, NumPy's global generator",
    ),
    "loss: a default dtype": (
        "loss",
        "        log_probs = head(",
        (
            "        import torch\n\n        torch.set_default_dtype(torch.float64)\n"
            "        log_probs = head("
        ),
        "global-state",
        "it changes torch's default dtype",
    ),
    "loss: an error": (
        "loss",
        "        log_probs = head(",
        "        raise ValueError('bad shape')\n        log_probs = head(",
        "scalar",
        "it raised ValueError: bad shape (my_loss.py:",
    ),
    "loss: not a dataclass": (
        "loss",
        "@dataclass(frozen=True)\n",
        "",
        "parameters",
        "parameter 'weight' of MyLoss is not a field",
    ),
    "model: wrong dimensions": (
        "model",
        "FeatureDims(2 * self.hidden, self.hidden)",
        "FeatureDims(self.hidden, self.hidden)",
        "features",
        "features.sequence have dimension 64, and feature_dims.sequence is 32",
    ),
    "model: the batch counts": (
        "model",
        "            nn.AdaptiveAvgPool2d(_CELLS),\n",
        (
            "            nn.BatchNorm2d(self.width, track_running_stats=False),\n"
            "            nn.AdaptiveAvgPool2d(_CELLS),\n"
        ),
        "batch-size",
        "in evaluation mode, no sample may depend on others",
    ),
    "model: a weight without use": (
        "model",
        "        encoder = BiLSTM(",
        (
            "        frame[0].unused = nn.Parameter(frame[0].bias.detach().clone())\n"
            "        encoder = BiLSTM("
        ),
        "gradients",
        "unused has no gradient",
    ),
    "model: one seed": (
        "model",
        "        frame = nn.Sequential(",
        "        import torch\n\n        torch.manual_seed(0)\n        frame = nn.Sequential(",
        "determinism",
        "do not set a seed in build()",
    ),
    "dataset: one id": (
        "dataset",
        'Annotation(f"{split}-{number}"',
        'Annotation(f"{split}"',
        "annotations",
        "two samples of train have the id 'train'",
    ),
    "dataset: unseeded pixels": (
        "dataset",
        "default_rng([list(_SIZES).index(split), number, 1])",
        "default_rng()",
        "reading-again",
        "of train is another one a second time",
    ),
    "dataset: one fingerprint": (
        "dataset",
        '"split": split, ',
        "",
        "fingerprints",
        "two splits have the same fingerprint",
    ),
    "metric: fractions": (
        "metric",
        "right.astype(np.int64)",
        "right / 2",
        "integer-counts",
        "return arrays of np.int64",
    ),
    "metric: the wrong direction": (
        "metric",
        "higher_is_better = True",
        "higher_is_better = False",
        "direction",
        "or set higher_is_better = True",
    ),
    "metric: other samples count": (
        "metric",
        "right.astype(np.int64)",
        "right.astype(np.int64) * len(readings)",
        "batches",
        "count each sample by itself, or set whole_corpus = True",
    ),
    "decoder: padding is read": (
        "decoder",
        "[..., 1:]], -1), lengths)",
        "[..., 1:]], -1), lengths.clamp(min=logits.shape[1]))",
        "results",
        "return the lengths of the logits",
    ),
    "decoder: the batch counts": (
        "decoder",
        ".amax(-1) < self.threshold",
        ".amax(-1) < logits.softmax(-1).amax(-1).mean()",
        "batch-size",
        "decode each sample by itself",
    ),
    "recognizer: the wrong order": (
        "recognizer",
        "for sample in samples]",
        "for sample in sorted(samples, key=lambda each: each.id)]",
        "order",
        "return the readings in the order of the samples",
    ),
    "recognizer: a reading is missing": (
        "recognizer",
        "for sample in samples]",
        "for sample in samples[1:]]",
        "readings",
        "read() returned 3 readings for 4 samples",
    ),
}

pytestmark = pytest.mark.usefixtures("one_thread", "no_plugins")


@pytest.fixture
def no_plugins(monkeypatch):
    """Have no plug-ins before a test and after it."""
    monkeypatch.delenv(plugin_files.VARIABLE, raising=False)
    yield
    plugin_files.set_plugins([])


def written(kind, folder):
    """Return a written component of a kind as it was constructed from its file."""
    plugin_files.set_plugins([NewComponent(kind, OWN[kind], folder).file])
    return find_metric(OWN[kind]) if kind == "metric" else registry.make(kind, OWN[kind], {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_component_is_listed_and_meets_its_contract(home, bench, kind):
    answer = bench("new", kind, OWN[kind])
    assert answer.code == 0
    assert f"bench check my_{kind}.py" in answer.out
    plural = "losses" if kind == "loss" else f"{kind}s"
    assert OWN[kind] in bench("ls", plural).out
    answer = bench("check", f"my_{kind}.py")
    assert (answer.code, answer.err) == (0, "")
    assert f"{kind} {OWN[kind]} meets the contract" in answer.out


@pytest.mark.parametrize(("kind", "old", "new", "name", "explanation"), BROKEN.values(), ids=BROKEN)
def test_the_contract_explains_what_is_broken(tmp_path, kind, old, new, name, explanation):
    component = NewComponent(kind, OWN[kind], tmp_path)
    component.write()
    text = component.file.read_text()
    assert text.count(old) == 1
    component.file.write_text(text.replace(old, new))
    [check] = [check for check in kit_of(written(kind, tmp_path)).checks() if check.name == name]
    result = check.run()
    assert result.outcome == "failed"
    assert explanation in result.explanation


@pytest.mark.slow
def test_written_tests_pass(tmp_path):
    for kind in KINDS:
        NewComponent(kind, OWN[kind], tmp_path).write()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    subprocess.run(command, cwd=tmp_path, check=True)


def test_a_new_loss_runs_at_once(home, bench):
    bench("new", "loss", "my-loss", "--out", "losses")
    assert tomllib.loads((home / "bench.toml").read_text())["plugins"] == ["losses/my_loss.py"]
    answer = bench("run", "tiny", "-l", "my-loss", "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert "my-loss" in answer.out


def test_nothing_is_overwritten(home, bench):
    answer = bench("new", "loss", "my-loss")
    assert answer.code == 0
    assert "off the board" in answer.out
    assert 'losses = [..., "my-loss"]' in answer.out
    before = {path: path.read_bytes() for path in home.iterdir() if path.is_file()}
    answer = bench("new", "loss", "my-loss")
    assert answer.code == 2
    assert "there is a loss 'my-loss' already" in answer.err
    (home / "bench.toml").write_text("")
    answer = bench("new", "loss", "my-loss")
    assert "my_loss.py is there already, and `bench new` replaces no file" in answer.err
    (home / "bench.toml").write_bytes(before[home / "bench.toml"])
    assert {path: path.read_bytes() for path in home.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("name", "explanation"),
    [
        ("2d", "cannot be imported"),
        ("class", "cannot be imported"),
        ("torch", "would hide the Python module 'torch'"),
        ("a/b", "'a/b' is not a valid name of a loss"),
    ],
)
def test_a_name_that_python_cannot_import_is_refused(tmp_path, name, explanation):
    with pytest.raises(BenchError, match=explanation):
        NewComponent("loss", name, tmp_path)


def test_without_a_bench_toml_of_ones_own_the_plugin_is_passed(tmp_path, bench, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answer = bench("new", "loss", "my-loss")
    assert "bench run quick -l my-loss --plugin my_loss.py" in answer.out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my_loss.py", "test_my_loss.py"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'plugins = ["a.py"]\n\n'),
        ("[suite.x]\n", 'plugins = ["a.py"]\n\n[suite.x]\n'),
        ("# About.\n\n[suite.x]\n", '# About.\n\nplugins = ["a.py"]\n\n[suite.x]\n'),
        ("# Of x.\n[suite.x]\n", 'plugins = ["a.py"]\n\n# Of x.\n[suite.x]\n'),
        ('plugins = ["b.py"] # mine\n', 'plugins = ["b.py", "a.py"] # mine\n'),
        ('plugins = ["a.py"]\r\n', 'plugins = ["a.py"]\r\n'),
        ("[suite.x]\r\n", 'plugins = ["a.py"]\r\n\r\n[suite.x]\r\n'),
    ],
)
def test_a_plugin_is_added_to_a_bench_toml(before, after):
    assert with_plugin(before, "a.py") == after
