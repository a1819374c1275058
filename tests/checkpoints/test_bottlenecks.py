"""Adapters on disk: the same to the bit, said in config.json, refused where there is no place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from contracts import stir
from torch import nn
from training.tiny import put_head, tiny_model

from checkpoints.models import (
    KINDS,
    bert,
    loaded,
    put_tensors,
    random_case,
    reference,
    tensors,
    words_tokenizer,
    write,
)
from headway.checkpoints import (
    encoder_decoder_of,
    lengthened,
    read_adapter,
    with_adapter,
    with_tokens,
    write_gguf,
)
from headway.checkpoints.lora import Adapter, write_adapter
from headway.core.bottleneck import Bottleneck, bottleneck_width, put_bottlenecks
from headway.core.stacks import EncoderDecoder
from headway.errors import CheckpointError, ConfigError
from headway.families import FAMILIES
from headway.model import Model

IDS = [[5, 6, 7, 8, 9], [3, 4]]


def put(model: Any, width: int = 3) -> Any:
    """The model with adapters that have learned something."""
    put_bottlenecks(model.body, width)
    torch.manual_seed(1)
    stir(nn.ModuleList(part for part in model.body.modules() if isinstance(part, Bottleneck)))
    return model


def read(model: Any) -> list[torch.Tensor]:
    """Last hidden states and logits of some texts."""
    target = {"target": IDS} if isinstance(model.body, EncoderDecoder) else {}
    with torch.no_grad():
        out = model.forward(IDS, **target)
    return [*out.last, *(out.logits or [])]


def folder(path: Path, task: str | None = None) -> Path:
    """A saved BERT with adapters."""
    put(loaded(bert(path / "plain", task))).save(path / "adapted")
    return path / "adapted"


def change(path: Path, change: dict[str, Any]) -> None:
    file = path / "config.json"
    values = {**json.loads(file.read_text("utf-8")), **change}
    file.write_text(json.dumps({k: v for k, v in values.items() if v is not None}), "utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_every_architecture_is_what_it_was_when_it_is_loaded(kind: str, tmp_path: Path) -> None:
    """With each of its heads and with none, and saved once more it is the same file."""
    for task in (None, *FAMILIES[kind].HEADS):
        place = tmp_path / str(task)
        case = random_case(kind, 0)
        model = put(loaded(write(reference(case, task), place / "plain")))
        model.save(place / "adapted")
        again = loaded(place / "adapted")
        assert again.task == model.task and bottleneck_width(again.body) == 3
        one, other = model.state_dict(), again.state_dict()
        assert list(one) == list(other)
        assert all(torch.equal(other[name], value) for name, value in one.items())
        # Its weights lie at other addresses, on which some processors' last bit depends.
        torch.testing.assert_close(read(again), read(model), rtol=1e-5, atol=1e-6)
        body = loaded(place / "adapted", keep_head=False).body.state_dict()
        assert all(torch.equal(body[name], p) for name, p in model.body.state_dict().items())
        again.save(place / "again")
        for name in ("config.json", "model.safetensors"):
            bytes_ = (place / "adapted" / name).read_bytes()
            assert (place / "again" / name).read_bytes() == bytes_


@pytest.mark.parametrize("share", [False, True])
def test_two_stacks_made_of_one(share: bool, tmp_path: Path) -> None:
    model = put(Model(encoder_decoder_of(tiny_model().checkpoint, share=share)).eval())
    model.save(tmp_path)
    again = loaded(tmp_path)
    assert all(map(torch.equal, read(again), read(model)))
    count = len({id(part) for part in again.body.modules() if isinstance(part, Bottleneck)})
    assert count == (2 if share else 4)


def test_a_head_of_our_own_stands_beside_them(tmp_path: Path) -> None:
    model = put(put_head(tiny_model(), ("a", "b")))
    model.save(tmp_path)
    assert all(map(torch.equal, read(loaded(tmp_path)), read(model)))
    body = loaded(tmp_path, keep_head=False)
    assert body.head is None and bottleneck_width(body.body) == 3
    half = loaded(tmp_path, dtype=torch.bfloat16)
    assert all(p.dtype == torch.bfloat16 for p in half.parameters())


def test_config_says_so_in_two_places_and_a_plain_one_in_none(tmp_path: Path) -> None:
    values = json.loads((folder(tmp_path) / "config.json").read_text("utf-8"))
    assert values["model_type"] == "bert+adapters"
    assert values["headway"] == {"adapters": {"width": 3}}
    loaded(tmp_path / "plain").save(tmp_path / "again")
    plain = json.loads((tmp_path / "again" / "config.json").read_text("utf-8"))
    assert plain == {k: v for k, v in values.items() if k != "headway"} | {"model_type": "bert"}


@pytest.mark.parametrize("task", [None, "text-classification"])
def test_transformers_opens_no_model_without_them(task: str | None, tmp_path: Path) -> None:
    place = folder(tmp_path, task)
    for auto in (
        transformers.AutoConfig,
        transformers.AutoModel,
        transformers.AutoModelForSequenceClassification,
    ):
        with pytest.raises(ValueError, match=r"model type `bert\+adapters`"):
            auto.from_pretrained(place)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"headway": None}, r"headway.adapters = None.*Allowed: \{\"width\": ...\}.* 1 to 8"),
        ({"headway": {"adapters": {"width": 9}}}, "headway.adapters.*9"),
        ({"headway": {"adapters": {"width": 0}}}, "headway.adapters"),
        ({"headway": {"adapters": {"width": True}}}, "headway.adapters"),
        ({"headway": {"adapters": {"width": "3"}}}, "headway.adapters"),
        ({"headway": {"adapters": 3}}, "headway.adapters = 3"),
        ({"headway": []}, "headway"),
        ({"model_type": "bert"}, r"headway.adapters beside model_type = 'bert'.*bert\+adapters"),
        ({"model_type": "bird+adapters"}, "'bird' is not a known architecture"),
        ({"headway": {"adapters": {"width": 2}}}, r"misshaped.*adapters.layers.0.down.weight"),
        ({"headway": None, "model_type": "bert"}, r"unexpected.*adapters.layers.0.down.weight"),
    ],
)
def test_what_does_not_fit_is_said(values: dict[str, Any], said: str, tmp_path: Path) -> None:
    place = folder(tmp_path)
    change(place, values)
    with pytest.raises(CheckpointError, match="(?s)" + said):
        loaded(place)


def test_one_that_lacks_is_said(tmp_path: Path) -> None:
    place = folder(tmp_path)
    found = tensors(place)
    del found["adapters.layers.1.up.bias"]
    put_tensors(place, found)
    with pytest.raises(CheckpointError, match=r"missing     adapters.layers.1.up.bias \[8\]"):
        loaded(place)


def test_new_tokens_leave_them_where_they_are(tmp_path: Path) -> None:
    model = put(put_head(tiny_model(), ("a", "b")))
    more = Model(with_tokens(model.checkpoint, ["<mark>"])).eval()
    assert all(map(torch.equal, read(more), read(model)))


def test_a_model_made_longer_takes_them_along(tmp_path: Path) -> None:
    place = bert(tmp_path / "plain", hidden_act="gelu")
    model = put(loaded(place))
    model.checkpoint.tokenizer = words_tokenizer()
    long = Model(lengthened(model.checkpoint, positions=32, window=16)).eval()
    for ours, before in zip(read(long), read(model), strict=True):
        torch.testing.assert_close(ours, before, rtol=1e-4, atol=1e-5)


def test_products_of_lora_come_beside_them(tmp_path: Path) -> None:
    model = loaded(folder(tmp_path))
    name = "encoder.layer.1.output.dense.weight"
    adapter = Adapter({name: (torch.ones(1, 12), torch.ones(8, 1))}, 0.5, 1)
    (tmp_path / "lora").mkdir()
    write_adapter(adapter, model.checkpoint, tmp_path / "lora")
    weight = model.body.layers[1].feedforward.layer.down.weight
    before = weight.detach().clone()
    with_adapter(model.checkpoint, read_adapter(tmp_path / "lora"))
    torch.testing.assert_close(weight.detach(), before + 0.5)


def test_what_has_no_place_for_them_says_so(tmp_path: Path) -> None:
    model = put(tiny_model())
    with pytest.raises(ConfigError, match="a pair of stacks made of one has no place for the adap"):
        encoder_decoder_of(model.checkpoint)
    with pytest.raises(ConfigError, match="a GGUF has no place for the adapters of this model"):
        write_gguf(put(tiny_model("llama")), tmp_path / "model.gguf")
    assert not (tmp_path / "model.gguf").exists()
