from __future__ import annotations

import copy
import time
from pathlib import Path

import pytest
import tokenizers
import torch
import transformers
from pipelines.models import writer
from training.tiny import tiny_model

from headway import load
from headway.checkpoints import HeadPlan, encoder_decoder_of, with_tokens, with_words
from headway.errors import ConfigError, TokenizerError
from headway.model import Model

MARKS = ["<a>", "<b>"]


@pytest.mark.parametrize("kind", ["gpt2", "llama", "t5", "bert", "joined"])
def test_old_tokens_compute_as_before(kind: str, tmp_path: Path) -> None:
    model = (
        Model(encoder_decoder_of(tiny_model().checkpoint))
        if kind == "joined"
        else writer(kind)
        if kind != "bert"
        else tiny_model()
    ).eval()
    before = copy.deepcopy(model.state_dict())
    more = Model(with_tokens(model.checkpoint, MARKS)).eval()
    ids, target = [[5, 6, 7]], [[2, 8]] if kind in ("t5", "joined") else None
    one, other = model.forward(ids, target=target), more.forward(ids, target=target)
    if one.logits is not None and other.logits is not None:
        size = one.logits[0].shape[1]
        torch.testing.assert_close(other.logits[0][:, :size], one.logits[0])
        assert other.logits[0].shape[1] == size + 2
    stack = more.body.encoder if target else more.body
    words = stack.embeddings.words.weight
    old = before[
        "body.encoder.embeddings.words.weight" if target else "body.embeddings.words.weight"
    ]
    torch.testing.assert_close(words[-2:], old.mean(dim=0).expand(2, -1))
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())
    assert more.need_tokenizer().encode("w1<b>w2", special=False).tokens == ["w1", "<b>", "w2"]
    more.save(tmp_path / "more")
    again = load(tmp_path / "more").eval()
    assert again.need_tokenizer().vocabulary == more.need_tokenizer().vocabulary
    marked = [[5, more.need_tokenizer().vocabulary["<a>"], 7]]
    first, second = (each.forward(marked, target=target) for each in (more, again))
    for a, b in zip(first.logits or [], second.logits or [], strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kind", ["bert", "roberta", "distilbert"])
def test_heads_over_the_vocabulary_grow_too(kind: str) -> None:
    model = tiny_model(kind)
    model.put_head(HeadPlan("fill-mask", model.checkpoint.family.HEADS["fill-mask"]))
    more = Model(with_tokens(model.checkpoint, MARKS)).eval()
    one, other = (each.eval().forward([[5, 6, 7]]).logits for each in (model, more))
    assert one is not None and other is not None
    torch.testing.assert_close(other[0][:, :27], one[0])
    assert other[0].shape == (3, 29)
    torch.testing.assert_close(other[0][:, 27], other[0][:, 28])


def test_tied_tables_stay_one() -> None:
    model = Model(with_tokens(writer("gpt2").checkpoint, MARKS))
    assert model.head is not None
    assert model.head.output.weight is model.body.embeddings.words.weight
    assert model.head.output.out_features == model.body.embeddings.words.num_embeddings == 29


def test_as_the_tokenizers_package_grows_one_and_transformers_reads_the_result(
    tmp_path: Path,
) -> None:
    plain = writer("gpt2")
    plain.save(tmp_path / "plain")
    Model(with_tokens(plain.checkpoint, MARKS)).save(tmp_path / "more")
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "plain" / "tokenizer.json"))
    theirs.add_special_tokens(MARKS)
    ours = load(tmp_path / "more").need_tokenizer()
    for text in ("<a>w1 <b> w2<a>", "w3", "<c><b>"):
        assert ours.encode(text, special=False).ids == theirs.encode(text).ids
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "more")
    assert model.get_input_embeddings().weight.shape[0] == 29


def test_rows_beyond_the_tokens_are_used_first() -> None:
    model = writer("gpt2")
    more = with_tokens(model.checkpoint, MARKS)
    assert more.tokenizer is not None
    spare = copy.copy(more)
    spare.tokenizer = model.tokenizer  # the table has two rows that no token has
    again = with_tokens(spare, ["<c>", "<d>"])
    assert again.config.vocabulary == more.config.vocabulary
    table = again.body.embeddings.words.weight
    torch.testing.assert_close(table[-1], table[:27].mean(dim=0))
    assert again.head.output.weight is table


def test_known_tokens_change_nothing() -> None:
    model = writer("gpt2").checkpoint
    once = with_tokens(model, MARKS)
    twice = with_tokens(once, MARKS)
    assert twice.body is once.body and twice.tokenizer.vocabulary == once.tokenizer.vocabulary
    known = with_tokens(model, ["red"])
    assert known.body is model.body
    assert known.tokenizer.encode("w1red", special=False).tokens == ["w1", "red"]


def test_what_cannot_be_added() -> None:
    model = writer("gpt2").checkpoint
    for tokens in ("<a>", ["<a>", "<a>"], [" "], [3]):
        with pytest.raises(TokenizerError, match="tokens "):
            with_tokens(model, tokens)
    model.tokenizer = None
    with pytest.raises(ConfigError, match="without a tokenizer"):
        with_tokens(model, MARKS)


def cut_model() -> Model:
    """A BERT whose tokenizer cuts long words, with a head over the vocabulary."""
    from headway import train_tokenizer
    from headway.checkpoints import Checkpoint
    from headway.families import bert

    letters = "abcdefghijklmnopqrstuvwxyz"
    texts = ["the heart beats a of in on to", letters, letters[::-1]] * 50
    tokenizer = train_tokenizer(iter(texts), kind="wordpiece", size=140)
    config = bert.Config(
        vocabulary=len(tokenizer), hidden=16, layers=1, heads=2, inner=32, positions=24
    )
    torch.manual_seed(0)
    parts = Checkpoint(bert, config, bert.build(config), tokenizer=tokenizer,
                       values={"model_type": "bert"})  # fmt: skip
    model = Model(parts)
    model.put_head(HeadPlan("fill-mask", bert.HEADS["fill-mask"]))
    with torch.no_grad():
        model.head.output.bias.normal_()  # type: ignore[union-attr]
    return model.eval()


def test_a_new_word_starts_as_the_mean_of_its_pieces(tmp_path: Path) -> None:
    model = cut_model()
    old = model.need_tokenizer()
    words = ["myocarditis", "pericarditis", "heart"]
    more = Model(with_words(model.checkpoint, words)).eval()
    new = more.need_tokenizer()
    assert len(old.encode("heart", special=False).ids) == 1
    assert "heart" not in {one["content"] for one in new._document["added_tokens"][-2:]}
    table, head = more.body.embeddings.words.weight, more.head
    assert head is not None and head.output.weight is table
    for word in words[:2]:
        pieces = old.encode(word, special=False).ids
        assert len(pieces) > 1
        row = new.vocabulary[word]
        before = model.body.embeddings.words.weight
        torch.testing.assert_close(table[row], before[list(pieces)].mean(dim=0))
        torch.testing.assert_close(
            head.output.bias[row],
            model.head.output.bias[list(pieces)].mean(),  # type: ignore[union-attr]
        )
    said = new.encode("the myocarditis beats", special=False)
    assert said.tokens == ["the", "myocarditis", "beats"]
    assert new.encode("xmyocarditis", special=False).tokens != ["xmyocarditis"]
    more.save(tmp_path / "more")
    again = load(tmp_path / "more")
    assert again.head is not None and again.head.output.weight is again.body.embeddings.words.weight
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "more" / "tokenizer.json"))
    for text in ("the Myocarditis, beats", "pericarditis-myocarditis", "amyocarditis in on"):
        ours = again.need_tokenizer().encode(text, special=False)
        assert ours.ids == theirs.encode(text, add_special_tokens=False).ids
    assert "2 words are tokens of their own now" in more.checkpoint.notes[-1]
    assert "1 were one token already" in more.checkpoint.notes[-1]


def test_ten_thousand_words_are_added_in_seconds() -> None:
    model = cut_model()
    letters = "abcdefghijklmnopqrst"
    words = [f"zz{a}{b}{c}{d}" for a in letters for b in letters for c in letters for d in "xy"]
    start = time.perf_counter()
    more = with_words(model.checkpoint, words[:10_000])
    seconds = time.perf_counter() - start
    assert (
        more.tokenizer is not None and len(more.tokenizer) == len(model.need_tokenizer()) + 10_000
    )
    assert more.tokenizer.encode("the zzabcx heart", special=False).tokens[1] == "zzabcx"
    assert seconds < 10


def test_words_that_cannot_be_are_refused() -> None:
    with pytest.raises(TokenizerError, match="each once"):
        with_words(cut_model().checkpoint, ["myocarditis", "myocarditis"])
    model = tiny_model()
    model.checkpoint.tokenizer = None
    with pytest.raises(ConfigError, match="without a tokenizer"):
        with_words(model.checkpoint, ["a"])


def test_a_word_that_was_not_known_at_all_starts_as_the_mean_of_all() -> None:
    model = tiny_model()
    more = with_words(model.checkpoint, ["strange", "w1"])
    assert more.tokenizer is not None and more.tokenizer.encode("strange").tokens[1] == "strange"
    table, before = more.body.embeddings.words.weight, model.body.embeddings.words.weight
    torch.testing.assert_close(table[-1], before.mean(dim=0))
    assert len(table) == len(before) + 1
