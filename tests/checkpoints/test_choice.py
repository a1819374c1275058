"""A choice head is stored beside the language head, under the ecosystem's names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from contracts import stir
from pipelines.models import classifier, writer
from torch import Tensor
from training.tiny import tiny_model

from checkpoints.models import write
from headway import load
from headway.checkpoints import HeadPlan, encoder_decoder_of, with_choice, with_tokens, write_gguf
from headway.core.layout import Layout
from headway.errors import CheckpointError, ConfigError
from headway.families import gpt2
from headway.heads import LanguageModelHead
from headway.model import Model

TEXTS = [[5, 9, 7, 8], [6], [11, 3, 3, 12, 4]]
KINDS = {
    "gpt2": (transformers.GPT2Config, transformers.GPT2DoubleHeadsModel),
    "openai-gpt": (transformers.OpenAIGPTConfig, transformers.OpenAIGPTDoubleHeadsModel),
}


def scores(model: Model, segments: list[list[int]] | None = None) -> Tensor:
    """Of each text, [texts]."""
    with torch.no_grad():
        out = model.forward(TEXTS, segments=segments)
    assert isinstance(model.head, LanguageModelHead) and model.head.choice is not None
    return model.head.choice(torch.cat(out.last), Layout.of(TEXTS)).squeeze(1).detach()


def double(kind: str, **more: Any) -> Any:
    config, made = KINDS[kind]
    torch.manual_seed(3)
    model = made(config(vocab_size=27, n_embd=12, n_layer=2, n_head=2, n_positions=24, **more))
    stir(model)
    return model.eval()


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_the_references_double_heads_are_read_and_written(
    kind: str, tied: bool, tmp_path: Path
) -> None:
    theirs = double(kind, tie_word_embeddings=tied)
    ours = load(write(theirs, tmp_path / "theirs"))
    assert ours.task == "text-generation" and "choice" in str(ours.checkpoint.plan)
    ours.save(tmp_path / "ours")
    again, opened = load(tmp_path / "ours"), KINDS[kind][1].from_pretrained(tmp_path / "ours")
    writes = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours")
    marks = [[ids[0]] * len(ids) for ids in TEXTS]
    for number, ids in enumerate(TEXTS):
        inputs = {"input_ids": torch.tensor([ids]), "token_type_ids": torch.tensor([marks[number]])}
        with torch.no_grad():
            wanted = theirs(**inputs, mc_token_ids=torch.tensor([len(ids) - 1]))
            told = opened.eval()(**inputs, mc_token_ids=torch.tensor([len(ids) - 1]))
            plain = writes.eval()(**inputs).logits
        torch.testing.assert_close(told.mc_logits, wanted.mc_logits, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(plain, wanted.logits, rtol=1e-5, atol=1e-5)
        for model in (ours, again):
            logits = model.forward(TEXTS, segments=marks).logits
            assert logits is not None
            torch.testing.assert_close(logits[number], wanted.logits[0], rtol=1e-5, atol=1e-5)
            found = scores(model, marks)[number]
            torch.testing.assert_close(found, wanted.mc_logits[0], rtol=1e-5, atol=1e-5)
    body = load(tmp_path / "ours", keep_head=False)
    assert body.head is None and "multiple_choice_head" in body.notes[0]


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5"])
def test_it_comes_to_any_head_that_writes(kind: str, tmp_path: Path) -> None:
    model = writer(kind)
    checkpoint = with_choice(model.checkpoint)
    assert checkpoint.notes[-1] == "put on a choice head: 33 parameters to be trained"
    assert with_choice(checkpoint) is checkpoint
    assert model.checkpoint.plan is not None and not model.checkpoint.plan.choice
    made = Model(checkpoint)
    made.save(tmp_path)
    again = load(tmp_path)
    assert again.checkpoint.plan is not None and again.checkpoint.plan.choice
    for name, tensor in made.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    target = TEXTS if kind == "t5" else None
    ours = (one.forward(TEXTS, target=target).logits for one in (model, made, again))
    before, with_it, loaded = (torch.cat(list(logits or [])) for logits in ours)
    assert torch.equal(before, with_it) and torch.equal(before, loaded)


def test_an_untied_language_head_stays_as_it_is() -> None:
    theirs = gpt2.Config(vocabulary=9, hidden=8, layers=1, heads=2, positions=4, tied=False)
    body = gpt2.build(theirs)
    model = tiny_model("gpt2")
    model.checkpoint.config, model.checkpoint.body = theirs, body
    model.checkpoint.put_head(HeadPlan("text-generation", gpt2.HEADS["text-generation"]))
    old = model.checkpoint.head
    made = with_choice(model.checkpoint)
    assert isinstance(old, LanguageModelHead) and isinstance(made.head, LanguageModelHead)
    assert torch.equal(old.output.weight, made.head.output.weight) and old.choice is None


def test_more_tokens_and_two_stacks() -> None:
    one = with_choice(writer().checkpoint)
    more = with_tokens(one, ["<a>", "<b>"])
    assert isinstance(more.head, LanguageModelHead) and isinstance(one.head, LanguageModelHead)
    assert more.head.choice is not None and one.head.choice is not None
    assert torch.equal(more.head.choice.output.weight, one.head.choice.output.weight)
    two = with_choice(encoder_decoder_of(one))
    assert two.plan is not None and two.plan.choice and two.plan.task == "text2text-generation"


def test_what_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a choice head beside a text-classification head"):
        with_choice(classifier().checkpoint)
    with pytest.raises(ConfigError, match="a choice head beside no other"):
        with_choice(tiny_model().checkpoint)
    with pytest.raises(ConfigError, match="and a choice head is not written as GGUF"):
        write_gguf(with_choice(writer().checkpoint), tmp_path / "one.gguf")
    folder = write(double("gpt2"), tmp_path / "double")
    values = json.loads((folder / "config.json").read_text())
    for change, said in (
        ({"summary_activation": "tanh"}, "summary_activation = 'tanh' of a choice head"),
        ({"summary_type": "mean"}, "summary_type = 'mean'"),
        ({"headway": {"choice": 1}}, "headway.choice = 1"),
    ):
        (folder / "config.json").write_text(json.dumps({**values, **change}))
        with pytest.raises(CheckpointError, match=said):
            load(folder)
    told = {"architectures": ["GPT2ForSequenceClassification"], "headway": {"choice": True}}
    (folder / "config.json").write_text(json.dumps({**values, **told}))
    with pytest.raises(CheckpointError, match="beside a text-classification head"):
        load(folder)
