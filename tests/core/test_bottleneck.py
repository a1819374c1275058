from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from training.tiny import tiny_model

from headway.checkpoints import encoder_decoder_of
from headway.core.bottleneck import (
    Adapted,
    Bottleneck,
    adapted_rows,
    bottleneck_width,
    put_bottlenecks,
    take_bottlenecks,
)
from headway.core.feedforward import activation
from headway.core.layout import Layout
from headway.core.names import pair_names
from headway.families import albert, bert, static

IDS, LAYOUT = torch.tensor([3, 4, 5, 6, 7]), Layout((2, 3))


def small(**more: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"vocabulary": 9, "hidden": 8, "layers": 3, "heads": 2, "inner": 12, "positions": 8}
    return bert.build(bert.Config(**sizes | more)).eval()


def learned(body: nn.Module) -> None:
    with torch.no_grad():
        for part in body.modules():
            if isinstance(part, Bottleneck):
                part.up.weight.normal_()
                part.up.bias.normal_()


def test_a_bottleneck_by_hand() -> None:
    """Two narrow states, of which one is below zero."""
    made = Bottleneck(3, 2, activation("relu"))
    with torch.no_grad():
        made.down.weight.copy_(torch.tensor([[1.0, 0.0, 1.0], [0.0, -1.0, 0.0]]))
        made.down.bias.copy_(torch.tensor([0.5, 0.0]))
        made.up.weight.copy_(torch.tensor([[2.0, 9.0], [0.0, 9.0], [-1.0, 9.0]]))
        made.up.bias.copy_(torch.tensor([0.0, 0.25, 0.0]))
    # Narrow: 1 + 3 + 0.5 = 4.5, and -2, which is bent to 0.
    assert made(torch.tensor([[1.0, 2.0, 3.0]])).tolist() == [[10.0, 2.25, -1.5]]


def test_a_body_computes_what_it_did_until_something_is_learned() -> None:
    body = small()
    with torch.no_grad():
        before = body(IDS, LAYOUT)
        assert put_bottlenecks(body, 2) == 3
        assert torch.equal(body(IDS, LAYOUT), before)
        learned(body)
        assert not torch.allclose(body(IDS, LAYOUT), before, atol=0.1)


def test_what_is_put_is_taken_again() -> None:
    body = small()
    names, before = list(body.state_dict()), body(IDS, LAYOUT)
    assert bottleneck_width(body) is None
    put_bottlenecks(body, 5)
    learned(body)
    assert bottleneck_width(body) == 5
    take_bottlenecks(body)
    assert bottleneck_width(body) is None and list(body.state_dict()) == names
    assert torch.equal(body(IDS, LAYOUT), before)


def test_what_has_one_keeps_it() -> None:
    body = small()
    put_bottlenecks(body, 2)
    before = dict(body.named_parameters())
    assert put_bottlenecks(body, 4) == 3
    after = dict(body.named_parameters())
    assert after.keys() == before.keys() and all(after[name] is p for name, p in before.items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_of_the_type_and_mode_of_its_block(dtype: torch.dtype) -> None:
    body = small().to(dtype).train()
    put_bottlenecks(body, 2)
    assert all(parameter.dtype == dtype for parameter in body.parameters())
    assert all(part.training for part in body.modules())
    put_bottlenecks(fresh := small().eval(), 2)
    assert not any(part.training for part in fresh.modules())


def test_layers_that_are_one_weight_have_one() -> None:
    sizes = {"vocabulary": 9, "embedding": 4, "hidden": 8, "heads": 2, "inner": 12, "positions": 8}
    body: Any = albert.build(albert.Config(layers=4, groups=2, **sizes)).eval()
    assert put_bottlenecks(body, 2) == 2
    inner = [layer.feedforward.bottleneck for layer in body.layers]
    assert inner[0] is inner[1] is body.shared[0][0].feedforward.bottleneck
    assert inner[2] is inner[3] and inner[2] is not inner[0]
    assert put_bottlenecks(body, 2) == 2  # once more changes nothing


@pytest.mark.parametrize(("share", "count"), [(False, 4), (True, 2)])
def test_stacks_that_share_their_weights_share_these(share: bool, count: int) -> None:
    body = encoder_decoder_of(tiny_model().checkpoint, share=share).body
    assert put_bottlenecks(body, 2) == count


def test_a_body_without_blocks_has_no_place() -> None:
    assert put_bottlenecks(static.build(static.Config(vocabulary=5, hidden=4)), 2) == 0


def test_every_tensor_has_a_row() -> None:
    """Those of the layers under the names that they had."""
    body = small()
    plain = {pair.theirs: pair.tensor for pair in pair_names(body, adapted_rows(bert.NAMES))[0]}
    put_bottlenecks(body, 2)
    pairs, tied = pair_names(body, adapted_rows(bert.NAMES))
    found = {pair.theirs: pair.tensor for pair in pairs}
    assert not tied and all(found[names] is tensor for names, tensor in plain.items())
    fresh = {name for names in found.keys() - plain.keys() for name in names}
    assert fresh == {
        f"adapters.layers.{number}.{side}.{leaf}"
        for number in range(3)
        for side in ("down", "up")
        for leaf in ("weight", "bias")
    }
    assert isinstance(body.layers[0].feedforward, Adapted)
