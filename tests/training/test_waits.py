"""No training step waits for its device, nor mixes devices, whatever its model and its loss.

An emulated device tells tensors of the device from those of the host, which lengths are and which
may be read. A dispatch mode over plain CPU tensors cannot, so it would prove less.
"""

from __future__ import annotations

import pytest
import small_components as small
import torch

from bench.decoding.beam import BeamDecoder
from bench.decoding.greedy import GreedyDecoder
from bench.decoding.lexicon import LexiconDecoder
from bench.decoding.ngram import NGramDecoder
from bench.losses.ce import CE
from bench.losses.ctc import CTC
from bench.nn.feedback import STEPS_PER_READ, Greedy
from bench.testing.emulated_cuda import DEVICE, EmulatedCuda
from bench.training.validation import label_error_rate

MODELS = small.models()
VOCABULARY = tuple("12345")
pytestmark = pytest.mark.usefixtures("one_thread")


def run_step(model, loss, precision="float32", *, varied=True):
    """Return the emulated device after a step and its backward pass, and the output of the step."""
    step = small.make_step(model, loss, precision).train()
    with EmulatedCuda() as cuda:
        cuda.move(step)
        torch.manual_seed(1)
        output = step(small.make_batch(model, varied=varied).to("cuda:0"))
        output.loss.backward()
        gradients = [weight.grad for weight in step.parameters() if weight.grad is not None]
        assert {gradient.device for gradient in gradients} == {DEVICE}
    assert isinstance(output.infeasible, int)
    return cuda, output


def fast(*names):
    """Return all models; those that are not named are slow tests, being relatives of these."""
    marks = [pytest.mark.slow]
    return [name if name in names else pytest.param(name, marks=marks) for name in MODELS]


@pytest.mark.parametrize("name", fast("cnn-bilstm", "cnn-attention"))
def test_no_step_waits_for_its_device(name):
    model = MODELS[name]
    for loss in small.losses(model):
        cuda, output = run_step(model, loss)
        assert cuda.waits == [], loss.label
        # The emulation computes what the CPU computes.
        torch.manual_seed(1)
        plain = small.make_step(model, loss).train()
        torch.manual_seed(1)
        expected = plain(small.make_batch(model))
        torch.testing.assert_close(output.loss.held, expected.loss)
        assert output.infeasible == expected.infeasible > 0


@pytest.mark.parametrize("name", fast("cnn-attention"))
def test_no_step_under_autocast_waits_for_its_device(name):
    model = MODELS[name]
    for loss in small.losses(model, variants=False):
        cuda, output = run_step(model, loss, "bf16")
        assert cuda.waits == [], loss.label
        assert output.loss.dtype == torch.float32


@pytest.mark.parametrize("name", MODELS)
def test_no_step_without_padding_waits_for_its_device(name):
    model = MODELS[name]
    cuda, _ = run_step(model, small.losses(model)[0], varied=False)
    assert cuda.waits == []


@pytest.mark.parametrize("name", small.masked_models())
def test_no_step_that_masks_padding_waits_for_its_device(name):
    model = small.masked_models()[name]
    cuda, _ = run_step(model, small.losses(model)[0])
    assert cuda.waits == []


@pytest.fixture
def decoders(tmp_path):
    """Return every decoder by its name."""
    words, arpa = tmp_path / "words.txt", tmp_path / "model.arpa"
    words.write_text("123\n45\n22\n")
    arpa.write_text("\\data\\\nngram 1=2\n\n\\1-grams:\n-0.5\t1\n-0.5\t2\n\n\\end\\\n")
    return [
        GreedyDecoder(),
        BeamDecoder(),
        LexiconDecoder(str(words)),
        LexiconDecoder(str(words), by="probability"),
        NGramDecoder(str(arpa)),
    ]


@pytest.mark.parametrize("name", MODELS)
def test_decoding_mixes_no_devices_and_reads_what_it_reads_on_the_cpu(name, decoders):
    model = MODELS[name]
    loss = CTC() if model.emits == "frames" else CE()
    network = small.make_step(model, loss).network.eval()
    batch, device = small.make_batch(model), "cuda:0"
    # Alone at first, since the emulated device takes the weights.
    suited = [decoder for decoder in decoders if decoder.reads(loss.decoder)]
    decode = [decoder.build(loss.decoder, VOCABULARY) for decoder in suited]
    with torch.inference_mode():
        logits, lengths = network(batch.inputs, batch.lengths)
        expected = [each(logits, lengths) for each in decode]
    with torch.inference_mode(), EmulatedCuda() as cuda:
        cuda.move(network)
        logits, lengths = network(batch.inputs.to(device), batch.lengths)
        found = [each(logits, lengths) for each in decode]
    for one, other in zip(found, expected, strict=True):
        assert [row.tolist() for row in one.labels] == [row.tolist() for row in other.labels]
        assert one.path.tolist() == other.path.tolist()


@pytest.mark.parametrize("name", ["crnn", "cnn-attention"])
def test_validation_reads_the_same_on_the_device(name):
    model = MODELS[name]
    loss = CTC() if model.emits == "frames" else CE()
    network = small.make_step(model, loss).network
    batches = [small.make_batch(model)]
    expected = label_error_rate(network, batches, loss.decoder)
    with EmulatedCuda() as cuda:
        cuda.move(network)
        moved = [batch.to("cuda:0") for batch in batches]
        assert label_error_rate(network, moved, loss.decoder) == expected


def test_greedy_feedback_reads_the_device_once_in_several_steps():
    model = small.models()["htr-seq2seq"]
    network = small.make_step(model, CE()).network.eval()
    batch = small.make_batch(model)
    with torch.no_grad():
        # It never ends by itself.
        network.head.bias[0] = -100
    with torch.inference_mode(), EmulatedCuda() as cuda:
        cuda.move(network)
        logits, _ = network(batch.inputs.to("cuda:0"), batch.lengths)
    assert logits.shape[1] == small.MAX_LENGTH + 1
    assert len(cuda.reads) <= logits.shape[1] / STEPS_PER_READ + 1


@pytest.mark.parametrize("interval", [2, 3, 8, 100])
@pytest.mark.parametrize("end", [1, 2, 4, 7, 20])
def test_greedy_feedback_drops_the_steps_after_the_end(interval, end):
    def classify(features):
        return torch.nn.functional.one_hot(features[:, 0], 3).float()

    symbols = torch.ones(2, 10, dtype=torch.int64)
    symbols[0, min(end - 1, 9) :] = 0
    symbols[1, max(min(end, 10) - 2, 0) :] = 0
    readings = []
    for feedback in (Greedy(classify, 1), Greedy(classify, interval)):
        for step in range(10):
            if feedback(symbols[:, step : step + 1]) is None:
                break
        readings.append(feedback.logits())
    assert torch.equal(*readings)
    assert readings[0].shape[1] == min(end, 10)
