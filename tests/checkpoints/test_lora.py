"""LoRA adapters against peft, both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from headway import load
from headway.checkpoints.lora import Adapter, read_adapter, with_adapter, write_adapter
from headway.errors import CheckpointError
from headway.model import Model

IDS = [[5, 6, 7, 8, 9], [3, 4]]
SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 32, "vocab_size": 30, "max_position_embeddings": 16}  # fmt: skip


def theirs(kind: str) -> Any:
    torch.manual_seed(0)
    sizes: dict[str, Any] = dict(SIZES)
    if kind == "gpt2":
        sizes = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 30, "n_positions": 16}
    if kind == "albert":
        sizes["embedding_size"] = 8
    if kind == "llama":
        sizes |= {"num_key_value_heads": 1}
    config = transformers.AutoConfig.for_model(kind, **sizes)
    return transformers.AutoModel.from_config(config).eval()


TARGETS = {
    "bert": ["query", "value", "dense"],
    "gpt2": ["c_attn", "c_proj", "c_fc"],
    "llama": "all-linear",
    "albert": ["query", "key", "value", "ffn"],
}


def saved(kind: str, folder: Path, **more: Any) -> Any:
    """A model with an adapter that has learned something, both saved by peft; on disk and alive."""
    model = theirs(kind)
    model.save_pretrained(folder / "base")
    settings = {"r": 3, "lora_alpha": 5, "target_modules": TARGETS[kind]} | more
    config = peft.LoraConfig(**settings, fan_in_fan_out=kind == "gpt2")
    adapted = peft.get_peft_model(model, config).eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    adapted.save_pretrained(folder / "adapter")
    return adapted


def states(model: Any, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(torch.tensor([ids])).last_hidden_state[0]
    return found


def ours(model: Model, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        hidden = model.forward([ids], record=["hidden"]).hidden
    assert hidden is not None
    return hidden[-1][0]


@pytest.mark.parametrize("kind", TARGETS)
def test_an_adapter_of_peft_is_read(kind: str, tmp_path: Path) -> None:
    adapted = saved(kind, tmp_path)
    model = load(tmp_path / "base")
    plain = ours(model, IDS[0])
    with_adapter(model.checkpoint, read_adapter(tmp_path / "adapter"))
    for ids in IDS:
        torch.testing.assert_close(ours(model, ids), states(adapted, ids), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(ours(model, IDS[0]), plain, atol=1e-2)


def test_the_scale_of_rank_stabilised_adapters(tmp_path: Path) -> None:
    adapted = saved("bert", tmp_path, use_rslora=True)
    model = load(tmp_path / "base")
    with_adapter(model.checkpoint, read_adapter(tmp_path / "adapter"))
    torch.testing.assert_close(ours(model, IDS[0]), states(adapted, IDS[0]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", TARGETS)
def test_what_is_written_peft_opens(kind: str, tmp_path: Path) -> None:
    adapted = saved(kind, tmp_path)
    adapter = read_adapter(tmp_path / "adapter")
    model = load(tmp_path / "base")
    (tmp_path / "again").mkdir()
    write_adapter(adapter, model.checkpoint, tmp_path / "again")
    base = transformers.AutoModel.from_pretrained(tmp_path / "base")
    again = peft.PeftModel.from_pretrained(base, str(tmp_path / "again")).eval()
    torch.testing.assert_close(states(again, IDS[0]), states(adapted, IDS[0]), rtol=1e-5, atol=1e-6)


def test_names_with_the_familys_prefix_are_read(tmp_path: Path) -> None:
    """As adapters of models with a head have them."""
    saved("bert", tmp_path)
    adapter = read_adapter(tmp_path / "adapter")
    headed = Adapter(
        {f"bert.{name}": pair for name, pair in adapter.layers.items()},
        adapter.scale,
        adapter.rank,
    )
    found = [
        with_adapter(load(tmp_path / "base").checkpoint, one).body.state_dict()
        for one in (adapter, headed)
    ]
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def change(folder: Path, **values: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"peft_type": "IA3"}, "peft_type = 'IA3'.*Allowed: LORA"),
        ({"use_dora": True}, "use_dora = True.*Allowed: plain LoRA"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights = 'pissa'"),
        ({"layer_replication": [[0, 2]]}, "layer_replication"),
        ({"alora_invocation_tokens": [5]}, "alora_invocation_tokens"),
        ({"r": 5}, r"has matrices of \(3, 16\).*Allowed: of r = 5 rows"),
        ({"bias": "all"}, "bias = 'all'"),
        ({"rank_pattern": {"query": 9}}, "rank_pattern"),
        ({"r": 0}, "r = 0.*Allowed: a number above 0"),
        ({"lora_alpha": "five"}, "lora_alpha = 'five'"),
    ],
)
def test_other_kinds_are_refused(values: dict[str, Any], said: str, tmp_path: Path) -> None:
    saved("bert", tmp_path)
    change(tmp_path / "adapter", **values)
    with pytest.raises(CheckpointError, match=said):
        read_adapter(tmp_path / "adapter")


def test_damaged_files_are_named(tmp_path: Path) -> None:
    saved("bert", tmp_path)
    path = tmp_path / "adapter" / "adapter_model.safetensors"
    tensors = load_file(path)
    gone = next(name for name in tensors if "lora_A" in name)
    save_file({name: tensor for name, tensor in tensors.items() if name != gone}, path)
    with pytest.raises(CheckpointError, match="has one matrix of two"):
        read_adapter(tmp_path / "adapter")
    save_file({**tensors, "base_model.model.classifier.weight": torch.zeros(2, 2)}, path)
    with pytest.raises(CheckpointError, match=r"classifier\.weight.*Allowed: lora_A and lora_B"):
        read_adapter(tmp_path / "adapter")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(CheckpointError, match="cut short or corrupt"):
        read_adapter(tmp_path / "adapter")
    path.unlink()
    with pytest.raises(CheckpointError):
        read_adapter(tmp_path / "adapter")
    (tmp_path / "adapter" / "adapter_config.json").unlink()
    with pytest.raises(CheckpointError, match=r"adapter_config\.json"):
        read_adapter(tmp_path / "adapter")


def test_an_adapter_of_another_model_changes_nothing(tmp_path: Path) -> None:
    saved("bert", tmp_path)
    adapter = read_adapter(tmp_path / "adapter")
    name, (down, up) = next(iter(adapter.layers.items()))
    wrong = [
        {**adapter.layers, "encoder.layer.7.x.weight": (down, up)},
        {**adapter.layers, name: (down[:, 1:], up)},
    ]
    for layers, said in zip(
        wrong, ("is no layer of the model", "16 x 15, in the model 16 x 16"), strict=True
    ):
        checkpoint = load(tmp_path / "base").checkpoint
        before = {key: value.clone() for key, value in checkpoint.body.state_dict().items()}
        with pytest.raises(CheckpointError, match=said):
            with_adapter(checkpoint, Adapter(layers, adapter.scale, adapter.rank))
        after = checkpoint.body.state_dict()
        assert all(torch.equal(after[key], value) for key, value in before.items())


def test_a_folder_of_an_adapter_is_its_base_with_it(tmp_path: Path) -> None:
    adapted = saved("bert", tmp_path)
    change(tmp_path / "adapter", base_model_name_or_path=str(tmp_path / "base"))
    model = load(tmp_path / "adapter")
    torch.testing.assert_close(ours(model, IDS[0]), states(adapted, IDS[0]), rtol=1e-4, atol=1e-5)
    assert model.source == str(tmp_path / "adapter")


@pytest.mark.parametrize(
    ("base", "said"), [(None, "names no base model"), ("no/where", "the base of the adapter in")]
)
def test_a_base_that_is_not_there_is_said(base: str | None, said: str, tmp_path: Path) -> None:
    saved("bert", tmp_path)
    change(tmp_path / "adapter", base_model_name_or_path=base)
    with pytest.raises(CheckpointError, match=said + ".*with_adapter puts it into a model"):
        load(tmp_path / "adapter")
