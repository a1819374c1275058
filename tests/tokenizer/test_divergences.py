"""Where the `tokenizers` package goes wrong, and what is done here instead.

Each test shows both: a change on their side, or an imitation on ours, makes it fail.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import tokenizers
from tokenizers import AddedToken, Regex, models, normalizers
from tokenizers import pre_tokenizers as pre

from headway.tokenizer import Tokenizer

from .oracles import data


def both(peer: tokenizers.Tokenizer) -> tuple[Tokenizer, tokenizers.Tokenizer]:
    """A tokenizer as Headway and as the package itself reads it."""
    return Tokenizer.from_document(json.loads(peer.to_str())), peer


def characters(text: str, **options: Any) -> tokenizers.Tokenizer:
    """A BPE without merges whose vocabulary is some characters."""
    vocabulary = {c: i for i, c in enumerate([*dict.fromkeys(text), "<unk>"])}
    return tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[], **options))


def with_rules_of_t5(known: str) -> tuple[Tokenizer, tokenizers.Tokenizer]:
    rules = Tokenizer.load(data("tokenizer-assets", "t5_tokenizer_base.model"))
    content = json.loads(characters(known, unk_token="<unk>").to_str())
    content["normalizer"] = rules._document["normalizer"]["normalizers"][0]
    return both(tokenizers.Tokenizer.from_str(json.dumps(content)))


def test_a_character_deleted_at_the_beginning_does_not_shift_the_offsets() -> None:
    tok, peer = with_rules_of_t5("ab")
    text = "\x01ab"  # a control character, which the rules delete
    assert peer.encode(text).ids == tok.encode(text).ids
    assert peer.encode(text).offsets == [(0, 1), (1, 2)]
    assert tok.encode(text).offsets == [(1, 2), (2, 3)]


def test_a_deleted_character_takes_nothing_of_a_longer_one_before_it() -> None:
    tok, peer = with_rules_of_t5("(x)")
    text = "\u24b3\x0e"  # an x in a circle, written out as (x), and a control character
    assert peer.encode(text).ids == tok.encode(text).ids
    assert peer.encode(text).offsets == [(0, 1), (0, 1), (1, 2)]
    assert tok.encode(text).offsets == [(0, 1)] * 3


def test_a_text_inserted_at_the_beginning_is_no_trouble_to_the_next_step() -> None:
    peer = characters("_ab", unk_token="<unk>")
    peer.normalizer = normalizers.Sequence(
        [normalizers.Replace(Regex(r"\A"), "_"), normalizers.Lowercase()]
    )
    tok, peer = both(peer)
    with pytest.raises(BaseException, match="index out of bounds"):
        peer.encode("ab")
    assert tok.encode("ab").tokens == ["_", "a", "b"]
    assert tok.encode("ab").offsets == [(0, 1), (0, 1), (1, 2)]


def test_a_character_without_token_keeps_its_place() -> None:
    tok, peer = both(characters("ab"))
    assert peer.encode("a?b").ids == tok.encode("a?b").ids
    assert peer.encode("a?b").offsets == [(0, 1), (1, 2)]
    assert tok.encode("a?b").offsets == [(0, 1), (2, 3)]


def test_bytes_that_overtake_an_unknown_token_keep_their_places() -> None:
    options = {"unk_token": "<unk>", "byte_fallback": True}
    peer = tokenizers.Tokenizer(
        models.BPE(vocab={"<unk>": 0, "<0xC3>": 1, "<0xA9>": 2}, merges=[], **options)
    )
    tok, peer = both(peer)
    assert peer.encode("zé").ids == tok.encode("zé").ids == [1, 2, 0]
    assert peer.encode("zé").offsets == [(0, 1), (1, 2), (1, 2)]
    assert tok.encode("zé").offsets == [(1, 2), (1, 2), (0, 1)]


def test_bytes_of_a_suffix_stay_inside_the_text() -> None:
    vocabulary = {f"<0x{byte:02X}>": byte for byte in range(256)}
    peer = tokenizers.Tokenizer(
        models.BPE(vocab=vocabulary, merges=[], byte_fallback=True, end_of_word_suffix="</w>")
    )
    peer.pre_tokenizer = pre.WhitespaceSplit()
    tok, peer = both(peer)
    assert peer.encode("ab c").ids == tok.encode("ab c").ids
    assert peer.encode("ab c").offsets[5:] != tok.encode("ab c").offsets[5:]
    assert set(tok.encode("ab c").offsets) == {(0, 1), (1, 2), (3, 4)}


def test_decoding_leaves_out_a_special_token_that_is_normalized() -> None:
    peer = characters("ab", unk_token="<unk>")
    peer.normalizer = normalizers.Lowercase()
    peer.add_special_tokens([AddedToken("<END>", normalized=True)])
    tok, peer = both(peer)
    ids = peer.encode("ab<END>").ids
    assert ids == tok.encode("ab<END>").ids
    assert peer.decode(ids, skip_special_tokens=True) == "a b <end>"
    assert tok.decode(ids) == "a b"
    assert tok.token(ids[-1]) == "<END>"


def test_an_added_token_that_normalizes_to_nothing_is_not_found_everywhere() -> None:
    peer = characters("ab", unk_token="<unk>")
    peer.normalizer = normalizers.Replace("~", "")
    peer.add_tokens([AddedToken("~", normalized=True)])
    tok, _ = both(peer)
    assert tok.encode("a~b").tokens == ["a", "b"]


def test_decoding_nothing_gives_nothing() -> None:
    peer = characters("ab")
    peer.decoder = tokenizers.decoders.BPEDecoder("</w>")  # the package crashes
    assert both(peer)[0].decode([]) == ""
