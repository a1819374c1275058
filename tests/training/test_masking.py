"""What is hidden together: tokens, words, spans."""

from __future__ import annotations

import pytest
import torch

from headway import train_tokenizer
from headway.training.masking import MASKINGS, begins_words, hidden_tokens

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
