"""The tokenizer of llama2.c: a SentencePiece BPE, as scores and bytes one token after the other.

The file begins with the length of the longest token, then has for each token its score (float32),
its length (int32) and its bytes. Its rules are those of the program: a space before the text, byte
tokens for what is not in the vocabulary. Source: https://github.com/karpathy/llama2.c
(tokenizer.py, run.c).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

from headway.errors import TokenizerError
from headway.tokenizer.formats.documents import Around, Content
from headway.tokenizer.formats.files import read_bytes
from headway.tokenizer.formats.sentencepiece import spm_content
from headway.tokenizer.formats.sentencepiece_model import (
    BYTE,
    CONTROL,
    NORMAL,
    UNKNOWN,
    Sentencepiece,
    SpmModel,
)

__all__ = ["read_llama2c"]

_SPACE = "\u2581"
_ROLES = {0: ("<unk>", UNKNOWN), 1: ("<s>", CONTROL), 2: ("</s>", CONTROL)}
_WRITTEN = {"\n<s>\n": "<s>", "\n</s>\n": "</s>"}
"""How the file has the tokens around texts."""


def read_llama2c(path: Path, config: dict[str, Any]) -> Content:
    """The tokenizer.json that is equivalent to a tokenizer.bin.

    Args:
        path: the file.
        config: what a tokenizer_config.json beside it says.
    """
    pieces = [_piece(number, *entry) for number, entry in enumerate(_entries(path))]
    for number, (text, _) in _ROLES.items():
        if number >= len(pieces) or pieces[number].text != text:
            raise TokenizerError(
                f"{path}: token {number} is "
                + (repr(pieces[number].text) if number < len(pieces) else "not there"),
                allowed=text,
                next_step="give the tokenizer.bin that llama2.c's export wrote",
            )
    fallback = [piece.kind for piece in pieces].count(BYTE) == 256
    model = SpmModel(pieces, algorithm="bpe", byte_fallback=fallback, remove_spaces=False)
    model.check(str(path))
    special = model.of_kind(CONTROL, UNKNOWN)
    content = spm_content(
        model, special, Around("<s>", None).template(special), str(path), in_text=False
    )
    return content._replace(config={"unk_token": "<unk>", "bos_token": "<s>", "eos_token": "</s>"})


def _entries(path: Path) -> list[tuple[str, float]]:
    """Each token's bytes, as text, and its score."""
    data, place, entries = read_bytes(path), 4, []
    longest = int.from_bytes(data[:4], "little")
    while place < len(data):
        if place + 8 > len(data):
            raise _damaged(path, place, "the file ends inside of a token's length")
        score, length = struct.unpack_from("<fi", data, place)
        place += 8
        if not 0 < length <= min(longest, len(data) - place):
            raise _damaged(path, place, f"a token of {length} bytes; the longest has {longest}")
        try:
            entries.append((data[place : place + length].decode(), score))
        except UnicodeDecodeError:
            raise _damaged(path, place, "a token that is not UTF-8") from None
        place += length
    return entries


def _piece(number: int, text: str, score: float) -> Sentencepiece:
    text = _WRITTEN.get(text, text).replace(" ", _SPACE)
    kind = BYTE if re.fullmatch("<0x[0-9A-F]{2}>", text) else NORMAL
    return Sentencepiece(text, score, _ROLES[number][1] if number in _ROLES else kind)


def _damaged(path: Path, place: int, what: str) -> TokenizerError:
    return TokenizerError(
        f"at byte {place} of {path}: {what}",
        next_step="get the file again: it is damaged, or no tokenizer of llama2.c",
    )
