"""What is hidden together: tokens, words, spans."""

from __future__ import annotations

import pytest
import torch

from headway import train_tokenizer
from headway.tokenizer import Tokenizer
from headway.training.masking import MASKINGS, hidden_tokens, spans
from headway.training.word_starts import begins_words

BEGINS = torch.tensor([True, False, False, True, True, False] * 2000)
IDS = torch.arange(10, 10 + len(BEGINS)) % 9000 + 10


def hidden(masking: str, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    ids = IDS.clone()
    ids[::60] = 2
    return hidden_tokens(
        ids, mask=4, words=10_000, never={2, 4}, begins=BEGINS, choose=MASKINGS[masking],
        generator=torch.Generator().manual_seed(seed),
    )  # fmt: skip


@pytest.mark.parametrize("masking", MASKINGS)
def test_shares(masking: str) -> None:
    every = [hidden(masking, seed) for seed in range(8)]
    shown, chosen = every[0]
    assert not chosen[::60].any()
    asked = torch.stack([chosen for _, chosen in every])
    read = torch.stack([shown for shown, _ in every])
    assert float(asked.float().mean()) == pytest.approx(0.15, abs=0.01)
    masked, kept = ((read == what)[asked].float().mean() for what in (4, IDS.expand(8, -1)))
    assert masked == pytest.approx(0.8, abs=0.03) and kept == pytest.approx(0.1, abs=0.03)
    same, other = hidden(masking), hidden(masking, 1)
    assert torch.equal(same[0], shown) and not torch.equal(other[1], chosen)


@pytest.mark.parametrize("masking", ["words", "spans"])
def test_no_word_is_hidden_in_part(masking: str) -> None:
    _, chosen = hidden(masking)
    broken = 0
    for start in range(0, len(BEGINS), 6):
        if start % 60:
            broken += len(set(chosen[start : start + 3].tolist())) > 1
            broken += len(set(chosen[start + 4 : start + 6].tolist())) > 1
    assert broken <= (masking == "spans")  # a span may end with the number that is wanted


def test_spans_are_longer_than_words() -> None:
    lengths = {}
    for masking in ("words", "spans"):
        _, chosen = hidden(masking)
        edges = int((chosen[1:] & ~chosen[:-1]).sum())
        lengths[masking] = int(chosen.sum()) / edges
    assert lengths["spans"] > 1.5 * lengths["words"]


def test_a_span_is_masked_as_one() -> None:
    shown, chosen = hidden("spans")
    runs = 0
    for start in range(6, len(BEGINS) - 6, 6):
        word = slice(start, start + 3)
        if start % 60 and chosen[word].all():
            kinds = {(token == 4, token == right) for token, right in
                     zip(shown[word].tolist(), IDS[word].tolist(), strict=True)}  # fmt: skip
            assert len(kinds) == 1 or (True, False) not in kinds
            runs += 1
    assert runs > 50


def test_one_token_is_always_asked() -> None:
    for choose in MASKINGS.values():
        _, chosen = hidden_tokens(
            torch.tensor([2, 7, 2]), mask=4, words=100, never={2}, choose=choose
        )
        assert chosen.tolist() == [False, True, False]
        _, none = hidden_tokens(torch.tensor([2, 2]), mask=4, words=100, never={2}, choose=choose)
        assert not none.any()


@pytest.mark.parametrize("masking", MASKINGS)
def test_a_short_text_is_asked_for_any_of_its_words(masking: str) -> None:
    """As often for the first as for the others, and for all pieces of one together."""
    begins = torch.tensor([True, True, False, True, True, False, True, True])
    allowed = torch.tensor([False, *[True] * 6, False])
    draw = torch.Generator().manual_seed(0)
    asked = torch.zeros(8)
    for _ in range(3000):
        ids = torch.where(allowed, torch.arange(10, 18), 2)
        _, chosen = hidden_tokens(
            ids, mask=4, words=100, never={2}, begins=None if masking == "tokens" else begins,
            choose=MASKINGS[masking], generator=draw,
        )  # fmt: skip
        asked += chosen
        if masking == "words":
            assert chosen[1] == chosen[2] and chosen[4] == chosen[5]
    assert asked[0] == asked[7] == 0
    inner = asked[1:7]
    if masking != "spans":  # which share out what is wanted by words
        assert inner.max() < 1.25 * inner.min()


@pytest.mark.parametrize("masking", ["words", "spans"])
def test_a_text_that_begins_inside_a_word_is_asked_from_its_first_token(masking: str) -> None:
    begins = torch.tensor([True, False, False, True] * 3)
    allowed = torch.ones(12, dtype=torch.bool)
    allowed[0] = False  # [CLS]
    draw = torch.Generator().manual_seed(0)
    found = [MASKINGS[masking](allowed, begins, draw)[1] >= 0 for _ in range(400)]
    cut = [MASKINGS[masking](allowed[1:], begins[1:], draw)[0] >= 0 for _ in range(400)]
    assert sum(map(int, found)) > 20 and sum(map(int, cut)) > 20


def test_spans_have_one_to_ten_words_and_end_by_chance() -> None:
    """3.8 words in the mean, as the source says of its lengths."""
    every = torch.ones(4000, dtype=torch.bool)
    lengths: list[int] = []
    for seed in range(40):
        found = spans(every, every, torch.Generator().manual_seed(seed))
        whole = found[found >= 0].bincount()
        lengths += whole[whole > 0].tolist()[1:-1]
    share = sum(length == 10 for length in lengths) / len(lengths)
    assert max(lengths) == 10
    assert share == pytest.approx(0.03, abs=0.012)
    assert sum(lengths) / len(lengths) == pytest.approx(3.8, abs=0.25)


@pytest.mark.parametrize("kind", ["wordpiece", "byte-bpe", "unigram"])
def test_where_words_begin(kind: str) -> None:
    texts = ["low lower lowest newest wider, widest . low new"] * 30
    tokenizer = train_tokenizer(iter(texts), kind=kind, size=300 if kind == "byte-bpe" else 30)
    table = begins_words(tokenizer)
    said = tokenizer.encode(" lowest, wider", special=False)
    words = torch.tensor(said.word_ids)
    expected = [True, *(words[1:] != words[:-1]).tolist()]
    if kind == "unigram":  # its words are parted by spaces alone, ours by commas too
        expected = [
            start or token == "," for start, token in zip(expected, said.tokens, strict=True)
        ]
    assert table[torch.tensor(said.ids)].tolist() == expected
    assert begins_words(tokenizer) is table


def test_bytes_are_judged_by_the_characters_that_they_are_of() -> None:
    """No word begins inside a letter, at a mark on one, or where only a part of it is known."""
    texts = ["señor हिन्दी 我们，你好。 low low"] * 3
    tokenizer = train_tokenizer(iter(texts), kind="byte-bpe", size=270)
    table = begins_words(tokenizer)
    said = tokenizer.encode(" señor हिन्दी", special=False)
    begun = [token[0] for token, number in zip(said.tokens, said.ids, strict=True) if table[number]]
    assert begun == ["Ġ", "Ġ"]
    for token, wanted in (("Ã", False), ("±", False), ("Ġ", True), (",", True), ("l", False)):
        assert bool(table[tokenizer.vocabulary[token]]) == wanted, token


def test_scripts_without_spaces_have_a_word_a_token() -> None:
    document = {
        "model": {
            "type": "WordLevel",
            "unk_token": "<unk>",
            "vocab": {"<unk>": 0, "▁a": 1, "我们": 2, "，": 3, "ि": 4, "b": 5, "カ": 6},
        }
    }
    table = begins_words(Tokenizer.from_document(document))
    assert table.tolist() == [True, True, True, True, False, False, True]
