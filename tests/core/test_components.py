from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.components import Component, incompatibility, short_labels
from bench.data.datasets.seq_digits import SeqDigits
from bench.losses.ctc import CTC
from bench.losses.radial_ctc import RadialCTC
from bench.losses.vac import VAC
from bench.models.cnn_bilstm import CnnBiLSTM
from bench.models.lenetpp import LeNetPP


@dataclass(frozen=True)
class Sized(Component):
    """Has a size.

    And no default for it.
    """

    name = "sized"
    version = 3

    size: int
    deep: bool = False


class Lines(SeqDigits):
    name = "lines"
    gives = "image"


class Attention(CTC):
    name = "attention"
    accepts = "seq2seq"


@pytest.mark.parametrize(
    ("component", "label"),
    [
        (CTC(), "ctc"),
        (RadialCTC(), "radial-ctc"),
        (RadialCTC(eta=0.2), "radial-ctc"),
        (RadialCTC(eta=0.5), "radial-ctc(eta=0.5)"),
        (RadialCTC(beta=0.3, scale=4.0), "radial-ctc(scale=4.0, beta=0.3)"),
        (LeNetPP(batch_norm=True), "lenetpp(batch_norm=true)"),
        (SeqDigits(ramp=(0.5, 1.0)), "seq-digits(ramp=(0.5, 1.0))"),
        (Sized(2), "sized(size=2)"),
        (Sized(2, deep=True), "sized(size=2, deep=true)"),
    ],
)
def test_label_shows_what_is_not_at_its_default(component, label):
    assert component.label == label


def test_a_spec_has_every_parameter():
    assert CnnBiLSTM(width=3).spec() == {
        "name": "cnn-bilstm",
        "version": CnnBiLSTM.version,
        "parameters": asdict(CnnBiLSTM()) | {"width": 3},
    }


def test_the_spec_of_a_component_from_outside_bench_has_its_source():
    content = Path(__file__).read_bytes()
    assert Sized(2).spec() == {
        "name": "sized",
        "version": 3,
        "parameters": {"size": 2, "deep": False},
        "source": {"file": "test_components.py", "sha256": sha256(content).hexdigest()},
    }


def test_summary_is_the_first_line():
    assert Sized.summary() == "Has a size."


def test_defaults_are_written_as_a_person_writes_them():
    assert LeNetPP.defaults() == {"width": "32", "features": "3", "batch_norm": "false"}


def test_short_labels_are_bare_where_no_other_has_the_name():
    labels = ["ctc", "lenetpp(width=8)", "radial-ctc", "radial-ctc(eta=0.5)"]
    assert short_labels(labels) == {
        "ctc": "ctc",
        "lenetpp(width=8)": "lenetpp",
        "radial-ctc": "radial-ctc",
        "radial-ctc(eta=0.5)": "radial-ctc(eta=0.5)",
    }


def test_short_labels_count_an_equal_label_once():
    assert short_labels(["ctc(a=1)", "ctc(a=1)"]) == {"ctc(a=1)": "ctc"}
    assert short_labels([]) == {}


names = st.sampled_from(["ctc", "radial-ctc", "lenetpp"])
parameters = st.sampled_from(["", "(a=1)", "(a=2)", "(a=(1, 2))"])


@given(st.lists(st.builds(str.__add__, names, parameters)))
def test_short_labels_stay_apart(labels):
    short = short_labels(labels)
    assert set(short) == set(labels)
    assert len(set(short.values())) == len(short)
    assert all(label.startswith(bare) for label, bare in short.items())


@pytest.mark.parametrize("model", [LeNetPP(), CnnBiLSTM()])
@pytest.mark.parametrize("loss", [CTC(), RadialCTC()])
def test_what_fits_is_compatible(model, loss):
    assert incompatibility(SeqDigits(), model, loss) is None


def test_incompatibility_names_both_sides():
    assert incompatibility(Lines(), LeNetPP(), CTC()) == (
        "dataset 'lines' gives image, model 'lenetpp' reads frames"
    )
    assert incompatibility(SeqDigits(), LeNetPP(), Attention()) == (
        "model 'lenetpp' emits frames, loss 'attention' scores seq2seq"
    )
    assert incompatibility(SeqDigits(), LeNetPP(), VAC()) == (
        "loss 'vac' needs visual features below a sequence module, model 'lenetpp' has none"
    )
    assert incompatibility(SeqDigits(), CnnBiLSTM(), VAC()) is None
