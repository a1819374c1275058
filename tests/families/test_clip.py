"""CLIP: both towers, their vectors and logits are the reference's, and so are files both ways."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import contracts
import pytest
import torch
from contracts import PROMISES, Case, close, flat, promise_name
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel

import headway
from headway.checkpoints import new_head
from headway.core.initial import initialise
from headway.core.layout import Layout
from headway.core.names import prefixed
from headway.core.pooling import last
from headway.core.taps import record
from headway.errors import CheckpointError, ConfigError
from headway.families import clip
from headway.images import Preprocessing

SEEDS = range(3)
OTHERS = {
    contracts.equals_reference_everywhere,
    contracts.heads_equal_reference,
    contracts.every_parameter_learns,
    contracts.dropout_stands_where_the_reference_has_it,
}
"""Promises about heads, and about states that the reference norms; their like is below."""


@dataclass
class ClipCase(Case):
    """The whole model; what a promise looks at is the text tower."""

    @cached_property
    def ours(self) -> Any:
        return clip.from_hf(without_words(self.config).to_dict())

    def reference(self, task: str | None) -> Any:
        made = without_words(self.config)
        for part in (made, made.text_config, made.vision_config):
            part._attn_implementation = "eager"
        torch.manual_seed(self.seed)
        model = CLIPModel(made)
        contracts.stir(model)
        return model.eval()

    def empty(self, task: str | None) -> nn.ModuleDict:
        with torch.device("meta"):
            parts = {"body": clip.build(self.ours), "vision": clip.build_vision(self.ours)}
        return nn.ModuleDict(parts).eval()

    def rows(self, task: str | None) -> list[Any]:
        return [*super().rows(task), *prefixed(clip.VISION_NAMES, "vision.", "")]

    def their_forward(self, model: Any, number: int, **options: bool) -> Any:
        return super().their_forward(model.text_model, number, **options)

    @property
    def pixels(self) -> Tensor:
        torch.manual_seed(self.seed)
        side = self.config.vision_config.image_size
        return torch.randn(3, self.config.vision_config.num_channels, side, side)


def without_words(config: Any) -> Any:
    """The config without the number of words, which promises look for beside its two towers."""
    made = copy.deepcopy(config)
    del made.vocab_size
    return made


def config(draw: random.Random) -> Any:
    def tower() -> dict[str, Any]:
        heads = draw.choice([1, 2, 3])
        return {
            "hidden_size": heads * draw.choice([5, 8, 12]),
            "num_attention_heads": heads,
            "num_hidden_layers": draw.choice([1, 2, 3]),
            "intermediate_size": draw.randint(9, 41),
            "hidden_act": draw.choice(["quick_gelu", "gelu"]),
            "layer_norm_eps": draw.choice([1e-5, 1e-6]),
        }

    words = draw.randint(30, 99)
    text = {
        **tower(),
        "vocab_size": words,
        "max_position_embeddings": draw.randint(14, 30),
        "eos_token_id": draw.choice([2, words - 1]),
        "bos_token_id": 0,
    }
    patch = draw.choice([2, 3, 5])
    vision = {
        **tower(),
        "num_channels": draw.choice([1, 3]),
        "patch_size": patch,
        "image_size": patch * draw.choice([1, 2, 3]) + draw.choice([0, 1]),
    }
    made = CLIPConfig(
        text_config=text,
        vision_config=vision,
        projection_dim=draw.randint(4, 20),
        logit_scale_init_value=draw.choice([2.6592, 1.5]),
    )
    made.vocab_size = words
    return made


def case_of(seed: int) -> ClipCase:
    return ClipCase("clip", config(random.Random(seed)), seed)


@pytest.mark.parametrize(
    "promise", [each for each in PROMISES if each not in OTHERS], ids=promise_name
)
@pytest.mark.parametrize("seed", SEEDS)
def test_promise(promise: Any, seed: int) -> None:
    promise(case_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_states_and_attention_of_texts_are_the_references(seed: int) -> None:
    case = case_of(seed)
    layers, layout = range(len(case.body.layers)), Layout.of(case.texts)
    with record(case.body, ["*"]) as seen, torch.no_grad():
        out = case.forward(case.body)
    for number in range(len(case.texts)):
        theirs = case.their_forward(
            case.theirs, number, output_hidden_states=True, output_attentions=True
        )
        names = ["embeddings.out", *(f"layers.{n}.out" for n in layers)]
        for name, state in zip(names, theirs.hidden_states, strict=True):
            close(layout.split(seen[name])[number], state[0])
        close(out[number], theirs.last_hidden_state[0])
        for n, weights in zip(layers, theirs.attentions, strict=True):
            close(seen[f"layers.{n}.attention.map"][number], weights[0])


@pytest.mark.parametrize("seed", range(6))
def test_images_vectors_and_logits_are_the_references(seed: int) -> None:
    case = case_of(seed)
    whole = case.twin(case.theirs, None)
    vision, end = whole["vision"], case.config.text_config.eos_token_id
    texts = [[*text[:-1], end if end != 2 else case.config.vocab_size - 1] for text in case.texts]
    with record(vision, ["*"]) as seen, torch.no_grad():
        images = vision.image_vectors(case.pixels)
        read = [list(clip.ended(case.ours, text)) for text in texts]
        states = last(case.body(flat(read), Layout.of(read)), Layout.of(read))
        words = vision.text_vectors(states)
        logits = vision.logits(images, words)
    for number, text in enumerate(texts):
        with torch.no_grad():
            out = case.theirs(input_ids=torch.tensor([text]), pixel_values=case.pixels)
        close(words[number], out.text_embeds[0])
        close(logits[:, number : number + 1], out.logits_per_image, 1e-4)
    close(images, out.image_embeds)
    with torch.no_grad():
        made = case.theirs.vision_model(case.pixels, output_hidden_states=True)
    names = ["embeddings.out", *(f"layers.{n}.out" for n in range(len(vision.encoder.layers)))]
    assert len(made.hidden_states) == len(names)
    for name, state in zip(names, made.hidden_states, strict=True):
        close(seen[f"encoder.{name}"], state.flatten(0, 1))
    close(seen["encoder.out"], made.pooler_output)


def test_a_text_ends_where_the_reference_pools_it() -> None:
    for seed in range(4):
        case = case_of(seed)
        end = case.config.text_config.eos_token_id
        end = case.config.vocab_size - 1 if end == 2 else end
        text = [3, 5, end, 7, end, 1]
        assert list(clip.ended(case.ours, text)) == text[:3]
        with torch.no_grad():
            wanted = case.theirs.text_model(torch.tensor([text])).pooler_output[0]
            close(case.forward(case.body, [text[:3]])[0][-1], wanted)
    assert clip.ended(clip.Config(), [1, 2]) == [1, 2]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_contrastive_loss_reaches_every_parameter(seed: int) -> None:
    case = case_of(seed)
    torch.manual_seed(seed)
    body, vision = clip.build(case.ours), clip.build_vision(case.ours)
    whole = nn.ModuleDict({"body": body, "vision": vision}).train()
    initialise(whole, case.ours.initial_std)
    assert vision.logit_scale.item() == pytest.approx(case.ours.logit_scale)
    contracts.stir(whole)
    layout = Layout.of(case.texts)
    words = vision.text_vectors(last(body(flat(case.texts), layout), layout))
    logits = vision.logits(vision.image_vectors(case.pixels), words)
    (logits * torch.randn_like(logits)).sum().backward()
    assert not [n for n, p in whole.named_parameters() if p.grad is None or not p.grad.any()]


@pytest.mark.parametrize("seed", SEEDS)
def test_folders_go_both_ways(seed: int, tmp_path: Path) -> None:
    case = case_of(seed)
    case.theirs.save_pretrained(tmp_path / "theirs")
    model = headway.load(tmp_path / "theirs")
    assert not model.notes
    assert not any(parameter.is_meta for parameter in model.parameters())
    model.save(tmp_path / "ours")
    opened, info = CLIPModel.from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(info.values())
    for name, tensor in case.theirs.state_dict().items():
        assert torch.equal(opened.state_dict()[name], tensor), name
    again = headway.load(tmp_path / "ours")
    assert again.checkpoint.config == model.checkpoint.config
    assert again.checkpoint.preprocessing == model.checkpoint.preprocessing
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_a_head_of_texts_goes_with_both_towers(tmp_path: Path) -> None:
    case = case_of(1)
    case.theirs.save_pretrained(tmp_path / "theirs")
    model = headway.load(tmp_path / "theirs")
    how = {"labels": ["a", "b"], "kind": "single-label", "head": "linear", "pooling": "last"}
    model.put_head(new_head(model.checkpoint.family, "text-classification", **how))
    model.eval().save(tmp_path / "ours")
    again = headway.load(tmp_path / "ours")
    assert again.labels == ("a", "b")
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_the_files_of_images_are_read(tmp_path: Path) -> None:
    case = case_of(0)
    case.theirs.save_pretrained(tmp_path)
    side = case.config.vision_config.image_size
    usual = headway.load(tmp_path).checkpoint.preprocessing
    assert usual == Preprocessing(resize=side, crop=(side, side))
    asked = {"size": {"shortest_edge": 40}, "image_mean": [0.5, 0.5, 0.5]}
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": asked}))
    found = headway.load(tmp_path).checkpoint.preprocessing
    assert found == Preprocessing(resize=40, mean=(0.5, 0.5, 0.5))
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"size": 50}))
    assert headway.load(tmp_path).checkpoint.preprocessing == Preprocessing(resize=50)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({"resample": "best"}))
    with pytest.raises(CheckpointError, match=r"preprocessor_config\.json: resample = 'best'"):
        headway.load(tmp_path)


def test_every_tensor_is_accounted_for(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    case_of(0).theirs.save_pretrained(tmp_path)
    whole = load_file(tmp_path / "model.safetensors")
    lacking = {n: t for n, t in whole.items() if n != "logit_scale"}
    odd = {**lacking, "vision_model.more.weight": torch.zeros(2)}
    save_file(odd, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=r"(?s)missing +logit_scale.*unexpected +vision_mod"):
        headway.load(tmp_path)


def test_older_files_say_a_tower_twice() -> None:
    values: dict[str, Any] = {
        "model_type": "clip",
        "projection_dim": 768,
        "text_config": {"hidden_size": 512, "dropout": 0.0, "add_cross_attention": False},
        "text_config_dict": {"hidden_size": 768, "num_attention_heads": 12, "projection_dim": 768},
        "vision_config": {"hidden_size": 1032, "num_beams": 1, "id2label": {"0": "LABEL_0"}},
        "vision_config_dict": None,
    }
    config = clip.from_hf(json.loads(json.dumps(values)))
    opened = CLIPConfig(**values)
    assert (config.hidden, config.heads, config.vision_hidden) == (768, 12, 1032)
    assert clip.from_hf(opened.to_dict()) == config


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"text_config": []}, r"text_config = \[\].*Allowed: an object"),
        ({"text_config": {"hiden_size": 4}}, r"text_config\.hiden_size.*did you mean"),
        ({"text_config": {"pruned_heads": {"0": [1]}}}, r"text_config\.pruned_heads"),
        ({"vision_config": {"patch_size": 300}}, r"patch_size = 300.*at most the image_size, 224"),
        ({"vision_config": {"image_size": [224, 224]}}, r"vision_config\.image_size"),
        ({"text_config": {"eos_token_id": None}}, r"text_config\.eos_token_id = None"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        clip.from_hf({"model_type": "clip", **values})


def test_images_of_another_size_are_refused() -> None:
    vision = clip.build_vision(case_of(0).ours)
    with pytest.raises(ConfigError, match=r"images of shape \(3, 99, 99\).*Allowed: \("):
        vision.image_vectors(torch.zeros(1, 3, 99, 99))


def test_drawn_configs_differ() -> None:
    assert len({case_of(seed).ours for seed in SEEDS}) == len(SEEDS)
