"""A model made longer computes what it did on short texts, and what the reference does on long."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
import torch
import transformers
from contracts import Case, close
from torch import Tensor

from checkpoints.models import AUTO, loaded, random_case, reference, tensors, words_tokenizer, write
from headway.checkpoints import lengthened
from headway.checkpoints.longer import SOURCES
from headway.core import masks
from headway.errors import ConfigError
from headway.model import Model

ANSWERED = {"multiple-choice", "replaced-token"}
"""Tasks for which Longformer has no head here."""

OTHERS = {("distilbert", "text-classification"), ("electra", "text-classification")}
"""Heads that bend where Longformer's does not, or otherwise."""

WITH_HEADS = [
    (kind, task)
    for kind in SOURCES
    for task in (None, "fill-mask", "text-classification", "token-classification")
] + [("bert", "question-answering"), ("bert", "multiple-choice"), ("electra", "replaced-token")]


def source(kind: str, seed: int = 0, **more: Any) -> Case:
    """A small model of an architecture that can be made longer, for texts of up to 30 tokens."""
    case = random_case(kind, seed)
    before = case.family.longest(case.ours)
    rows = {"max_position_embeddings": case.config.max_position_embeddings + 12 - before}
    activation = "activation" if kind == "distilbert" else "hidden_act"
    values = {**case.config.to_dict(), **rows, activation: "gelu", **more}
    if kind == "electra":
        values["embedding_size"] = values["hidden_size"]
    forbidden = (*case.forbidden, 0, 2)  # the padding id, and the separator before an answer
    return Case(kind, type(case.config)(**values), seed, forbidden)


def short_model(kind: str, task: str | None, folder: Path, **more: Any) -> tuple[Case, Model]:
    case = source(kind, **more)
    return case, loaded(write(reference(case, task), folder))


def longer(model: Model, positions: int, window: int) -> Any:
    return Model(lengthened(copy.deepcopy(model.checkpoint), positions=positions, window=window))


def their_states(model: Any, ids: list[int]) -> Tensor:
    """The reference's last hidden states of one text, its first token global."""
    marks = torch.zeros(1, len(ids), dtype=torch.int64)
    marks[:, 0] = 1
    with torch.no_grad():
        made: Tensor = model(torch.tensor([ids]), global_attention_mask=marks).last_hidden_state[0]
        return made


@pytest.mark.parametrize(("kind", "task"), WITH_HEADS)
def test_short_texts_give_what_they_gave_and_the_reference_opens_it(
    kind: str, task: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masks, "BLOCK", 4)
    case, short = short_model(kind, task, tmp_path / "short")
    long = longer(short, 48, 16).eval()
    assert (short.longest, long.longest) == (12, 48)
    texts = case.some_texts((9, 1, 5), 3)  # half a window and the token itself
    before = short.forward(texts, record=["hidden"])
    after = long.forward(texts, record=["hidden"])
    for ours, was in zip(after.hidden, before.hidden or [], strict=True):
        for one, other in zip(ours, was, strict=True):
            close(one, other)
    kept = task is not None and task not in ANSWERED and (kind, task) not in OTHERS
    assert (long.task, long.labels) == ((task, short.labels) if kept else (None, ()))
    if kept:
        for one, other in zip(after.logits, before.logits or [], strict=True):
            close(one, other)
    elif task is not None:
        assert f"left out the {short.checkpoint.plan}: Longformer has none" in long.notes[-1]
    long.save(tmp_path / "long")
    body, info = transformers.LongformerModel.from_pretrained(
        tmp_path / "long", output_loading_info=True
    )
    assert not info["mismatched_keys"]
    assert not {name for name in info["missing_keys"] if not name.startswith("pooler.")}
    texts = case.some_texts((48, 16, 31), 4)
    again = loaded(tmp_path / "long")
    for number, text in enumerate(texts):
        wanted = their_states(body.eval(), text)
        close(long.forward(texts).last[number], wanted)
        close(again.forward(texts).last[number], wanted)
    if kept:
        _, info = AUTO[task].from_pretrained(tmp_path / "long", output_loading_info=True)
        assert not info["missing_keys"]
        assert not info["unexpected_keys"]


@pytest.mark.parametrize("kind", SOURCES)
def test_positions_are_copied_whole(kind: str, tmp_path: Path) -> None:
    _, short = short_model(kind, None, tmp_path)
    long = longer(short, 36, 8)
    was, now = (model.body.embeddings.positions for model in (short, long))
    first = was.weight[was.offset :]
    assert torch.equal(now.weight[now.offset :], first.repeat(3, 1))
    assert now.offset == long.checkpoint.config.padding_id + 1
    for layer in long.body.layers:
        q, k, v = layer.attention.qkv.weight.chunk(3)
        assert torch.equal(layer.attention.global_q.weight, q)
        assert torch.equal(layer.attention.global_kv.weight, torch.cat([k, v]))


def test_an_answer_is_looked_for_with_the_question_global(tmp_path: Path) -> None:
    case, short = short_model("bert", "question-answering", tmp_path, vocab_size=60)
    short.checkpoint.tokenizer = words_tokenizer()
    long = longer(short, 48, 16).eval()
    separator = long.checkpoint.config.separator_id
    assert separator == short.need_tokenizer().special_ids["sep"]
    ids = [2, *case.some_texts((3,), 0)[0], separator, *case.some_texts((3,), 1)[0], separator]
    before, after = (model.forward([ids]).logits for model in (short, long))
    close(after[0], before[0])
    assert long.body.global_tokens(torch.tensor(ids), masks.Layout((9,))) == (4,)


def test_the_pooler_comes_along(tmp_path: Path) -> None:
    _, short = short_model("bert", None, tmp_path / "short")
    longer(short, 24, 8).save(tmp_path / "long")
    _, info = transformers.LongformerModel.from_pretrained(
        tmp_path / "long", output_loading_info=True
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    before, after = tensors(tmp_path / "short"), tensors(tmp_path / "long")
    assert torch.equal(before["pooler.dense.weight"], after["pooler.dense.weight"])


def test_a_head_that_bends_otherwise_is_left_out(tmp_path: Path) -> None:
    _, short = short_model("bert", "fill-mask", tmp_path, hidden_act="relu")
    long = longer(short, 24, 8)
    assert long.head is None
    assert "left out the fill-mask head" in long.notes[-1]


@pytest.mark.parametrize("tied", [True, False])
def test_a_tied_table_stays_tied(tied: bool, tmp_path: Path) -> None:
    _, short = short_model("roberta", "fill-mask", tmp_path, tie_word_embeddings=tied)
    long = longer(short, 24, 8)
    assert (long.head.output.weight is long.body.embeddings.words.weight) == tied


def test_what_is_made_grows_with_the_length_and_not_its_square(tmp_path: Path) -> None:
    case, short = short_model("xlm-roberta", None, tmp_path)
    long = longer(short, 4104, 64).eval()
    sizes = [largest_made(long, case.some_texts((length,), 0)) for length in (1024, 2048, 4096)]
    assert sizes[1] < 2.1 * sizes[0]
    assert sizes[2] < 2.1 * sizes[1]


def largest_made(model: Any, texts: list[list[int]]) -> int:
    """Numbers in the largest tensor that torch makes in a forward pass."""
    made: list[int] = []

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            out = func(*args, **(kwargs or {}))
            if isinstance(out, Tensor):
                made.append(out.numel())
            return out

    with Watch(), torch.no_grad():
        model.forward(texts)
    return max(made)


def test_xlm_roberta_with_its_sentencepiece_vocabulary(tmp_path: Path) -> None:
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["über die Brücke", "naïve 東京 long text", "die long Brücke"] * 9),
        model_writer=written,
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    pieces = [(model.id_to_piece(n), model.get_score(n)) for n in range(3, len(model))]
    around = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    theirs = transformers.XLMRobertaTokenizer(
        vocab=[*around, *pieces, ("<mask>", 0.0)], model_max_length=12
    )
    case = source("xlm-roberta", vocab_size=len(theirs), pad_token_id=1)
    theirs.save_pretrained(write(reference(case, None), tmp_path / "short"))
    short = loaded(tmp_path / "short")
    assert short.need_tokenizer().max_length == 12
    longer(short, 144, 24).save(tmp_path / "long")
    long = loaded(tmp_path / "long")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "long")
    assert tokenizer.model_max_length == long.tokenizer.max_length == 144
    assert long.checkpoint.config.separator_id == tokenizer.sep_token_id
    text = "die Brücke über 東京, naïve " * 6
    ids = tokenizer(text, truncation=True)["input_ids"]
    assert ids == long.tokenizer.encode(text).ids
    assert 50 < len(ids) <= 144
    body = transformers.LongformerModel.from_pretrained(tmp_path / "long").eval()
    close(long.forward([ids]).last[0], their_states(body, ids))
    assert long.embed([text]).shape == (1, case.ours.hidden)


@pytest.mark.parametrize("positions", [12, 6, 0, -24, 30, 13, 12 * 2**20])
def test_positions_that_cannot_be(positions: int, tmp_path: Path) -> None:
    _, short = short_model("roberta", None, tmp_path)
    said = rf"positions = {positions}, and the model has 12. Allowed: a multiple of 12 from 24"
    with pytest.raises(ConfigError, match=said):
        lengthened(short.checkpoint, positions=positions)


@pytest.mark.parametrize("window", [0, -4, 2, 7, 26])
def test_windows_that_cannot_be(window: int, tmp_path: Path) -> None:
    _, short = short_model("roberta", None, tmp_path)
    with pytest.raises(ConfigError, match=f"window = {window}. Allowed: an even number from 4 to"):
        lengthened(short.checkpoint, positions=24, window=window)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("longformer", "this longformer reads texts of .* already, in windows.*use it as it is"),
        ("gpt2", "a gpt2 model cannot be made longer.*Allowed: bert, camembert"),
        ("llama", "a llama model cannot be made longer"),
        ("modernbert", "a modernbert model cannot be made longer"),
        ("t5", "a t5 model cannot be made longer"),
        ("albert", "a albert model cannot be made longer"),
    ],
)
def test_architectures_that_cannot_be_made_longer(kind: str, said: str, tmp_path: Path) -> None:
    model = loaded(write(reference(random_case(kind, 0), None), tmp_path))
    with pytest.raises(ConfigError, match=said):
        lengthened(model.checkpoint, positions=4096)


def test_narrow_word_vectors_have_no_place(tmp_path: Path) -> None:
    case = random_case("electra", 0)
    values = {**case.config.to_dict(), "embedding_size": case.config.hidden_size + 1}
    case = Case("electra", type(case.config)(**values), 0)
    model = loaded(write(reference(case, None), tmp_path))
    positions = 2 * case.config.max_position_embeddings
    with pytest.raises(ConfigError, match="this electra widens word vectors"):
        lengthened(model.checkpoint, positions=positions)


def test_config_json_says_longformer(tmp_path: Path) -> None:
    _, short = short_model("camembert", "text-classification", tmp_path / "short")
    longer(short, 24, 8).save(tmp_path / "long")
    values = json.loads((tmp_path / "long/config.json").read_text())
    assert values["model_type"] == "longformer"
    assert values["architectures"] == ["LongformerForSequenceClassification"]
    assert values["attention_window"] == [8] * short.checkpoint.config.layers
    assert values["id2label"] == {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}


@pytest.mark.slow
def test_a_released_model_gives_the_same_vectors_and_reads_a_long_text(
    minilm_folder: Path, tmp_path: Path
) -> None:
    short = loaded(minilm_folder)
    longer(short, 2048, 512).save(tmp_path / "long")
    long = loaded(tmp_path / "long")
    texts = ["Where is my parcel?", "naïve café 東京 🙂 " * 20, "The fox jumps over the dog. " * 30]
    close(*(torch.from_numpy(model.embed(texts)) for model in (long, short)))
    ids = long.need_tokenizer().encode("The quick brown fox jumps over the lazy dog. " * 120).ids
    assert 1100 < len(ids) < 2048
    body = transformers.LongformerModel.from_pretrained(tmp_path / "long").eval()
    with torch.no_grad():
        close(long.forward([ids]).last[0], their_states(body, ids), 1e-4)
