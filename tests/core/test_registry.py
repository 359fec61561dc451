"""Components by name: bench's own, and those of other packages through real entry points."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from typing import get_args, get_type_hints

import pytest

from bench.config import bench_toml as config
from bench.core import registry
from bench.core.components import Augmentation, Dataset, Decoder, Loss, Model
from bench.core.errors import BenchError, Exit
from bench.core.schema import SchemaError
from bench.losses.vac import VAC
from bench.models.htr_seq2seq import HtrSeq2seq
from bench.models.htr_seq2seq_light import HtrSeq2seqLight
from bench.trials import grid

BASES = {
    "dataset": Dataset,
    "augmentation": Augmentation,
    "model": Model,
    "loss": Loss,
    "decoder": Decoder,
}
BUILTIN = {
    "dataset": {"seq-digits"},
    "augmentation": {"abinet", "crnn-post", "handwriting", "scene-text", "sign-language"},
    "model": {
        "abinet-vision",
        "cnn-attention",
        "cnn-bilstm",
        "crnn",
        "cslr-resnet18",
        "htr-ctc",
        "htr-seq2seq",
        "htr-seq2seq-light",
        "lenetpp",
        "svtr-tiny",
        "vitstr-tiny",
    },
    "loss": {
        "ace",
        "ce",
        "conclr",
        "cr-ctc",
        "ctc",
        "ctc-reference",
        "enctc",
        "enesctc",
        "esctc",
        "focal-ctc",
        "prior-ctc",
        "radial-ctc",
        "vac",
    },
    "decoder": {"beam", "greedy", "lexicon", "ngram"},
}
OWN = [
    pytest.param(kind, component, id=name)
    for kind in BASES
    for name, component in registry.builtin(kind).items()
    if "required" not in component.defaults().values()
]
FOREIGN = '''\
"""A loss of another package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bench.losses.base import FrameLoss
from bench.core.schema import PositiveInt, Fraction


@dataclass(frozen=True)
class Foreign(FrameLoss):
    """A loss from elsewhere.

    More of it.
    """

    name: ClassVar[str] = "NAME"

    needed: PositiveInt
    share: Fraction = 0.5

    def head(self, feature_dims, classes):
        raise NotImplementedError

    def objective(self, head, features, targets):
        raise NotImplementedError


class Unrelated:
    name = "unrelated"


WORD = "no class"
'''


@pytest.fixture
def install(tmp_path_factory, monkeypatch):
    """Return a function that installs a package with one module and its entry points."""
    modules = []

    def make(module: str, points: str, name: str = "foreign", code: str | None = None) -> None:
        site = tmp_path_factory.mktemp("site")
        (site / f"{module}.py").write_text(code or FOREIGN.replace("NAME", name))
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(points)
        modules.append(module)
        monkeypatch.syspath_prepend(site)
        registry._installed.cache_clear()

    registry._installed.cache_clear()
    yield make
    registry._installed.cache_clear()
    for module in modules:
        sys.modules.pop(module, None)


@pytest.mark.parametrize("kind", BASES)
def test_benchs_own_components_are_found_by_name(kind):
    found = registry.builtin(kind)
    assert set(found) >= BUILTIN[kind]
    assert list(found) == sorted(found)
    for name, component in found.items():
        assert component.name == name
        assert issubclass(component, BASES[kind])
        assert registry.find(kind, name) is component


@pytest.mark.parametrize(("kind", "component"), OWN)
def test_every_component_says_what_it_is(kind, component):
    summary = component.summary()
    assert summary.endswith(".")
    assert not summary.startswith(f"{component.__name__}("), "dataclass wrote this docstring"
    defaults = component.defaults()
    assert list(defaults) == [field.name for field in fields(component)]
    assert all(defaults.values())
    made = registry.make(kind, component.name, {})
    assert made.label == component.name
    assert made.spec()["name"] == component.name
    assert made.spec()["version"] == component.version >= 1
    assert set(made.spec()["parameters"]) == set(defaults)


# These have a meaning with another parameter only.
ASKED = {(VAC, name): {"auxiliary": "radial-ctc"} for name in ("eta", "lambda2")}
ASKED |= {(HtrSeq2seqLight, "encoder_hidden"): {"encoder": "rnn"}}
ASKED |= {(HtrSeq2seq, "gate_dropout"): {"gates": 1}}
# Everything else takes a 1.
OTHERS = dict.fromkeys(("dropout", "gate_dropout", "drop_path", "label_smoothing", "cut"), 0.5)
OTHERS |= {"ramp": [0.1, 0.9], "train": ["svt"], "split": "rwth-6161", "margin": [1, 2]}


def defaults(component):
    return {field.name: field.default for field in fields(component)}


@pytest.mark.parametrize(("kind", "component"), OWN)
def test_a_label_tells_what_is_off_its_default(kind, component):
    for field in fields(component):
        changed = OTHERS.get(field.name, 1)
        if isinstance(field.default, bool):
            changed = not field.default
        elif words := get_args(get_type_hints(component)[field.name]):
            changed = words[-1] if isinstance(field.default, str) else changed
        asked = ASKED.get((component, field.name), {})
        made = registry.make(kind, component.name, {field.name: changed, **asked})
        off = [
            name for name in defaults(component) if getattr(made, name) != defaults(component)[name]
        ]
        assert re.findall(r"(\w+)=", made.label) == off
        assert set(off) <= {field.name, *asked}


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("dataset", "seq-digit", "seq-digits"),
        ("model", "lenet", "lenetpp"),
        ("loss", "radial_ctc", "radial-ctc"),
        ("decoder", "lexikon", "lexicon"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(kind, wrong, right):
    expected = f"there is no {kind} '{wrong}'; did you mean '{right}'\\?"
    with pytest.raises(BenchError, match=expected) as caught:
        registry.find(kind, wrong)
    assert caught.value.code == Exit.USAGE


def test_a_name_far_from_all_lists_all():
    with pytest.raises(BenchError, match=r"cnn-bilstm, .*lenetpp"):
        registry.find("model", "zzzz")


def test_a_name_of_another_kind_is_not_found():
    with pytest.raises(BenchError, match="there is no model 'ctc'"):
        registry.find("model", "ctc")


def test_wrong_parameters_are_refused():
    with pytest.raises(SchemaError, match="did you mean 'width'"):
        registry.make("model", "lenetpp", {"widht": 1})
    with pytest.raises(SchemaError, match=">= 1"):
        registry.make("model", "lenetpp", {"width": 0})


def test_listing_costs_neither_torch_nor_ray():
    code = (
        "import sys; from bench.core import registry\n"
        f"for kind in {[*BASES]}: registry.everything(kind)\n"
        "print([name for name in ('torch', 'ray', 'numpy', 'sklearn') if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_a_component_of_another_package_is_found(install):
    install("bench_foreign_a", "[bench.loss]\nforeign = bench_foreign_a:Foreign\n")
    assert "foreign" not in registry.builtin("loss")
    assert set(registry.everything("loss")) == {*registry.builtin("loss"), "foreign"}
    made = registry.make("loss", "foreign", {"needed": 2})
    assert made.label == "foreign(needed=2)"
    assert type(made).summary() == "A loss from elsewhere."
    with pytest.raises(SchemaError, match="'needed' is missing"):
        registry.make("loss", "foreign", {})
    with pytest.raises(BenchError, match="did you mean 'foreign'"):
        registry.find("loss", "foregin")


def test_a_component_of_another_package_serves_a_suite(install, home):
    install("bench_foreign_b", "[bench.loss]\nforeign = bench_foreign_b:Foreign\n")
    file = home / "bench.toml"
    listed = '["ctc", { name = "foreign", needed = 3, share = 1 }]'
    file.write_text(file.read_text().replace('["ctc", "radial-ctc"]', listed))
    trials = grid.trials(config.load(file).suite("tiny"))
    assert [trial.entry.loss.label for trial in trials] == [
        "ctc",
        "foreign(needed=3, share=1.0)",
    ] * 2


def test_a_parameter_without_a_default_is_listed_without_one(install, bench):
    install("bench_foreign_c", "[bench.loss]\nforeign = bench_foreign_c:Foreign\n")
    defaults = registry.find("loss", "foreign").defaults()
    assert list(defaults) == ["needed", "share"]
    assert defaults["share"] == "0.5"
    assert "MISSING" not in defaults["needed"]
    assert "MISSING" not in bench("ls", "losses").out


@pytest.mark.parametrize("target", ["bench_nowhere:Foreign", "bench_foreign_f:Nothing"])
def test_an_entry_point_that_cannot_be_imported_is_a_warning(install, bench, target):
    points = f"broken = {target}\nforeign = bench_foreign_f:Foreign"
    install("bench_foreign_f", f"[bench.loss]\n{points}\n")
    answer = bench("ls", "losses")
    assert answer.code == 0
    assert "A loss from elsewhere." in answer.out
    assert len(answer.err.splitlines()) == 1
    assert "entry point 'broken' of group bench.loss cannot be imported" in answer.err
    assert answer.err.endswith(f"fix or uninstall {target}\n")
    with pytest.raises(BenchError, match=f"no loss 'broken'.*fix or uninstall {target}"):
        registry.find("loss", "broken")


@pytest.mark.parametrize("fault", ["raise RuntimeError('two\\nlines')", "raise SystemExit(7)"])
def test_a_module_that_raises_at_import_is_said_in_one_line(install, bench, fault):
    install("bench_foreign_g", "[bench.loss]\nbroken = bench_foreign_g:Foreign\n", code=fault)
    answer = bench("ls", "losses")
    assert (answer.code, len(answer.err.splitlines())) == (0, 1)
    assert "entry point 'broken' of group bench.loss cannot be imported" in answer.err
    assert "at bench_foreign_g.py:1)" in answer.err


def test_what_a_package_prints_is_no_part_of_a_json_document(install, bench):
    code = FOREIGN.replace("NAME", "foreign") + "\nprint('hello')\n"
    install("bench_foreign_h", "[bench.loss]\nforeign = bench_foreign_h:Foreign\n", code=code)
    answer = bench("ls", "losses", "--json")
    assert "foreign" in json.loads(answer.out)
    assert answer.err.startswith("hello\n")


def test_an_entry_point_of_another_kind_is_no_matter(install):
    install("bench_foreign_d", "[bench.loss]\nforeign = bench_foreign_d:Foreign\n")
    assert registry.everything("model") == registry.builtin("model")


@pytest.mark.parametrize(
    ("kind", "target"),
    [("loss", "Unrelated"), ("loss", "WORD"), ("model", "Foreign"), ("loss", "FrameLoss")],
)
def test_an_entry_point_that_is_no_component_is_refused(install, kind, target):
    module = f"bench_foreign_{kind}_{target.lower()}"
    install(module, f"[bench.{kind}]\nforeign = {module}:{target}\n")
    with pytest.raises(BenchError) as caught:
        registry.find(kind, "foreign")
    said = str(caught.value)
    assert "entry point 'foreign'" in said
    assert f"bench.core.components.{BASES[kind].__name__}" in said
    assert f"{module}:{target}" in said
    assert len(said.splitlines()) == 1


def test_a_name_that_is_taken_is_refused(install):
    install("bench_foreign_e", "[bench.loss]\none = bench_foreign_e:Foreign\n", "twin")
    install("bench_foreign_f", "[bench.loss]\ntwo = bench_foreign_f:Foreign\n", "twin")
    with pytest.raises(BenchError, match=r"loss 'twin' of .* has the name of one in") as caught:
        registry.find("loss", "twin")
    assert "bench_foreign_e.py" in str(caught.value)
    assert "bench_foreign_f.py" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert "twin" not in registry.everything("loss")


def test_benchs_own_name_is_found_whatever_is_installed(install):
    install("bench_foreign_g", "[bench.loss]\none = bench_foreign_g:Foreign\n", "ctc")
    assert registry.find("loss", "ctc").__module__ == "bench.losses.ctc"
    (fault,) = registry.installed_faults("loss")
    assert "bench_foreign_g.py has the name of one in bench/losses/ctc.py" in fault
