"""A stack made into two: each starts as the one that it comes from, and the pair is a model."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from contracts import close
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

from checkpoints.models import bert, loaded, random_case, reference, tensors, words_tokenizer, write
from headway.checkpoints import Checkpoint, encoder_decoder_of
from headway.core.initial import initialise
from headway.errors import CheckpointError, ConfigError
from headway.families import FAMILIES
from headway.model import Model

KINDS = ("bert", "camembert", "gpt2", "roberta", "xlm-roberta")


def source(kind: str, folder: Path, *, task: str | None = None, seed: int = 7) -> tuple[Any, Any]:
    case = random_case(kind, seed)
    return case, loaded(write(reference(case, task), folder))


def cross_parameters(model: Any) -> dict[str, torch.nn.Parameter]:
    named = model.body.decoder.named_parameters()
    return {name: p for name, p in named if "cross_attention" in name}


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_encoder_is_the_source_and_stays_apart_from_it(
    kind: str, share: bool, tmp_path: Path
) -> None:
    case, model = source(kind, tmp_path)
    before = copy.deepcopy(model.body.state_dict())
    two = Model(encoder_decoder_of(model.checkpoint, share=share)).eval()
    out = two.forward(case.texts, target=case.targets, record=["hidden"])
    wanted = model.forward(case.texts, record=["hidden"])
    for ours, theirs in zip(out.encoder_hidden, wanted.hidden, strict=True):
        for rows, want in zip(ours, theirs, strict=True):
            close(rows, want)
    names = dict(two.body.decoder.named_parameters())
    shared = [name for name, p in two.body.encoder.named_parameters() if names[name] is p]
    assert len(shared) == (len(names) - len(cross_parameters(two)) if share else 0)
    with torch.no_grad():
        for parameter in two.parameters():
            parameter.add_(1.0)
    for name, tensor in model.body.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("tied", [False, True])
def test_without_cross_attention_a_decoder_writes_as_its_source(
    tied: bool, share: bool, tmp_path: Path
) -> None:
    case = random_case("gpt2", 7)
    case.config.tie_word_embeddings = tied
    model = loaded(write(reference(case, "text-generation"), tmp_path))
    two = Model(encoder_decoder_of(model.checkpoint, share=share)).eval()
    fresh = cross_parameters(two)
    with torch.no_grad():
        for name, parameter in fresh.items():
            if "cross_attention.output" in name:
                parameter.zero_()
    targets = [text[:5] for text in case.texts]
    out = two.forward(case.texts, target=targets)
    for logits, wanted in zip(out.logits, model.forward(targets).logits, strict=True):
        close(logits, wanted)
    count = sum(p.numel() for p in fresh.values())
    sharing = ", which share its weights" if share else ""
    assert two.notes == [
        f"made encoder and decoder of one gpt2{sharing}: {count:,} parameters are new and have to "
        "be trained"
    ]


def test_a_masked_word_head_comes_along_and_another_does_not(tmp_path: Path) -> None:
    case, model = source("bert", tmp_path / "a", task="fill-mask")
    two = Model(encoder_decoder_of(model.checkpoint))
    for name, tensor in model.head.state_dict().items():
        assert torch.equal(two.head.state_dict()[name], tensor), name
    fresh = sum(p.numel() for p in cross_parameters(two).values())
    assert f"bert: {fresh:,} parameters are new" in two.notes[0]
    case, model = source("bert", tmp_path / "b", task="text-classification")
    two = Model(encoder_decoder_of(model.checkpoint))
    assert (two.task, two.labels) == ("text2text-generation", ())
    assert two.head.output.weight is two.body.decoder.embeddings.words.weight
    hidden, rows = case.ours.hidden, case.ours.vocabulary
    fresh = sum(p.numel() for p in cross_parameters(two).values())
    fresh += hidden * hidden + 3 * hidden + rows
    assert f"bert: {fresh:,} parameters are new" in two.notes[0]


@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_saved_and_loaded_and_opens_in_the_reference(
    kind: str, share: bool, tmp_path: Path
) -> None:
    case, model = source(kind, tmp_path / "one")
    torch.manual_seed(0)
    two = Model(encoder_decoder_of(model.checkpoint, share=share)).eval()
    two.save(tmp_path / "two")
    again = loaded(tmp_path / "two")
    assert again.notes == []
    assert again.state_dict().keys() == two.state_dict().keys()
    for name, tensor in two.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    assert len(list(again.parameters())) == len(list(two.parameters()))
    theirs, info = transformers.EncoderDecoderModel.from_pretrained(
        tmp_path / "two", output_loading_info=True, attn_implementation="eager"
    )
    assert not any(info.values()), info
    out = two.forward(case.texts, target=case.targets)
    for text, target, logits in zip(case.texts, case.targets, out.logits, strict=True):
        with torch.no_grad():
            wanted = theirs.eval()(
                input_ids=torch.tensor([text]), decoder_input_ids=torch.tensor([target])
            )
        close(logits, wanted.logits[0])
    # The reference writes a shared pair as two; that is read as two, equal ones.
    theirs.save_pretrained(tmp_path / "three")
    read = loaded(tmp_path / "three").forward(case.texts, target=case.targets)
    for ours, logits in zip(read.logits, out.logits, strict=True):
        close(ours, logits)


def test_shared_weights_that_differ_are_an_error(tmp_path: Path) -> None:
    _, model = source("bert", tmp_path / "one")
    Model(encoder_decoder_of(model.checkpoint, share=True)).save(tmp_path / "two")
    stored = tensors(tmp_path / "two")
    name = "decoder.bert.encoder.layer.0.output.dense.bias"
    for change in (stored[name] + 1, None):
        held = {key: tensor for key, tensor in stored.items() if key != name}
        if change is not None:
            held[name] = change
        save_file(held, tmp_path / "two/model.safetensors", {"format": "pt"})
        if change is None:  # one copy is enough
            loaded(tmp_path / "two")
        else:
            with pytest.raises(
                CheckpointError, match=f"torn .*{name} differs from encoder.encoder"
            ):
                loaded(tmp_path / "two")


def test_how_texts_begin_and_end_comes_along(tmp_path: Path) -> None:
    model = loaded(bert(tmp_path / "one"))
    assert encoder_decoder_of(model.checkpoint).generation.start is None
    model.checkpoint.tokenizer = words_tokenizer()
    two = Model(encoder_decoder_of(model.checkpoint))
    two.save(tmp_path / "two")
    for made in (two, loaded(tmp_path / "two")):
        generation = made.checkpoint.generation
        assert (generation.start, generation.stop) == (2, {3})  # [CLS] and [SEP]
        assert made.tokenizer is not None
        assert all(
            isinstance(text, str) for text in made.generate(["w1 w2", "w3"], max_new_tokens=5)
        )
    theirs = transformers.EncoderDecoderModel.from_pretrained(tmp_path / "two")
    assert theirs.generation_config.decoder_start_token_id == 2
    assert theirs.generation_config.eos_token_id == 3
    case, model = source("roberta", tmp_path / "three")  # no tokenizer: what config.json says
    generation = encoder_decoder_of(model.checkpoint).generation
    assert generation.start == case.config.bos_token_id
    assert generation.stop == {case.config.eos_token_id}


def test_the_body_alone_and_halves_of_numbers(tmp_path: Path) -> None:
    case, model = source("bert", tmp_path / "one")
    model.to(torch.bfloat16)
    two = Model(encoder_decoder_of(model.checkpoint))
    assert {p.dtype for p in two.parameters()} == {torch.bfloat16}
    assert not two.body.training
    two.put_head(None)
    two.save(tmp_path / "two")
    again = loaded(tmp_path / "two")
    assert again.head is None
    wanted = two.eval().forward(case.texts, target=case.targets).last
    for ours, rows in zip(again.forward(case.texts, target=case.targets).last, wanted, strict=True):
        assert (ours - rows.float()).abs().mean() < 0.05


def test_families_without_such_a_decoder_are_refused(tmp_path: Path) -> None:
    for kind in ("distilbert", "llama"):
        _, model = source(kind, tmp_path / kind)
        with pytest.raises(
            ConfigError, match=f"{kind} has no form .*Allowed: bert, camembert, gpt"
        ):
            encoder_decoder_of(model.checkpoint)
    _, model = source("bert", tmp_path / "bert")
    two = encoder_decoder_of(model.checkpoint)
    _, other = source("t5", tmp_path / "t5")
    for checkpoint in (two, other.checkpoint):
        with pytest.raises(
            ConfigError, match=r"has an encoder and a decoder\. Allowed: a model of"
        ):
            encoder_decoder_of(checkpoint)


@pytest.mark.slow
@pytest.mark.parametrize("share", [False, True])
def test_a_released_encoder(share: bool, minilm_folder: Path, tmp_path: Path) -> None:
    model = loaded(minilm_folder)
    two = Model(encoder_decoder_of(model.checkpoint, share=share)).eval()
    prompts = ["Where is my parcel?", "The quick brown fox jumps over the lazy dog."]
    text, other = (model.need_tokenizer().encode(prompt).ids for prompt in prompts)
    two.save(tmp_path)
    theirs = transformers.EncoderDecoderModel.from_pretrained(tmp_path).eval()
    ours = two.forward([text, other], target=[other, text], record=["hidden"])
    for rows, want in zip(ours.encoder_hidden[-1], model.forward([text, other]).last, strict=True):
        close(rows, want)
    with torch.no_grad():
        wanted = theirs(input_ids=torch.tensor([text]), decoder_input_ids=torch.tensor([other]))
    close(ours.logits[0], wanted.logits[0], 1e-4)
    new = two.generate(prompts, max_new_tokens=5)
    out = theirs.generate(torch.tensor([text]), max_new_tokens=5, do_sample=False)[0, 1:]
    assert model.need_tokenizer().decode(out.tolist()) == new[0]


@pytest.mark.slow
@pytest.mark.parametrize("share", [False, True])
@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_it_learns_to_copy(kind: str, share: bool) -> None:
    """From a fresh stack: words come back in their order, which only the encoder knows."""
    torch.manual_seed(0)
    family = FAMILIES[kind]
    sizes = {"vocabulary": 16, "hidden": 48, "inner": 96, "layers": 1, "heads": 4, "positions": 16}
    config = family.Config(**sizes, dropout=0.0, attention_dropout=0.0)
    body = family.build(config)
    initialise(body, 0.05)
    values = {"bos_token_id": 1, "eos_token_id": 2}
    checkpoint = Checkpoint(family=family, config=config, body=body, values=values)
    two = Model(encoder_decoder_of(checkpoint, share=share)).train()
    draw = torch.Generator().manual_seed(0)

    def some(count: int) -> list[list[int]]:
        return [
            torch.randint(
                3, 16, (int(torch.randint(2, 7, (), generator=draw)),), generator=draw
            ).tolist()
            for _ in range(count)
        ]

    optimiser = torch.optim.Adam(two.parameters(), lr=3e-3)
    for _ in range(200):
        texts = some(32)
        logits = two.forward(texts, target=[[1, *text] for text in texts]).logits
        wanted = torch.tensor([token for text in texts for token in (*text, 2)])
        loss = cross_entropy(torch.cat(logits), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    texts = some(50)
    written = two.generate_ids(texts, max_new_tokens=8)
    assert sum(map(list.__eq__, texts, written)) >= 45
