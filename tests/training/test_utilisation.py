from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pipelines.models import writer
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from headway.checkpoints import encoder_decoder_of
from headway.core.taps import record
from headway.model import Model
from headway.training import utilisation
from headway.training.collate import window_states
from headway.training.utilisation import Products, matrix_peak
from training.tiny import put_head, tiny_model

from .steps import one_batch

CPU = torch.device("cpu")


@pytest.mark.parametrize("kind", ["bert", "distilbert", "gpt2", "llama"])
def test_it_counts_what_torch_counts(kind: str) -> None:
    """Of one window, whose maps are looked at, so that they are made by products in full."""
    model = tiny_model(kind)
    batch = one_batch(model, [" ".join(f"w{n}" for n in range(12))])
    counter = FlopCounterMode(display=False)
    with counter, record(model.body, ["*.attention.map"]):
        states, _ = window_states(model, batch)
        states.sum().backward()
    counted = counter.get_total_flops()
    told = Products.of(model).learning_flops(map(len, batch.windows))
    assert told == counted


def test_tokens_that_are_written_pass_the_decoder() -> None:
    model = Model(encoder_decoder_of(tiny_model().checkpoint))
    products = Products.of(model)
    read, both = products.learning_flops([5]), products.learning_flops([5], beside=3)
    matrices = sum(
        part.weight.numel() for part in model.body.decoder.layers.modules()  # type: ignore[union-attr]
        if isinstance(part, nn.Linear)
    )  # fmt: skip
    assert both - read == 3 * 2 * 3 * matrices
    one = Products.of(writer("gpt2"))
    assert one.learning_flops([2, 3]) < one.learning_flops([5])


def test_the_peak_is_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_CACHE", str(tmp_path))
    found = matrix_peak("fp32", CPU)
    assert 1e9 < found < 1e15
    assert matrix_peak("fp32", CPU) == found
    assert [path.name for path in tmp_path.iterdir()] == ["matrix-peak-fp32.json"]
    assert matrix_peak("bf16", CPU) > 0


def test_where_a_large_product_takes_long_a_small_one_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates = {utilisation.FIRST: 2e9, utilisation.SIZE: 3e11}
    monkeypatch.setattr(utilisation, "_rate", lambda precision, device, size: rates[size])
    assert utilisation._measured("bf16", CPU) == 2e9
    rates[utilisation.FIRST] = 1e11
    assert utilisation._measured("bf16", CPU) == 3e11


def test_a_head_counts_as_lost() -> None:
    plain, headed = tiny_model(), put_head(tiny_model(), ("a", "b"))
    assert Products.of(plain) == Products.of(headed)
