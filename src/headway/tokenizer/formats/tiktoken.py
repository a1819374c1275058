"""tiktoken's ranks: a token in base64, a space and its rank a line; the rank is the id.

OpenAI's *.tiktoken, Qwen's qwen.tiktoken and Llama 3's tokenizer.model are such files. The split
pattern and the special tokens are not in them: they are those of the encoding that the file is
named after. Source: https://github.com/openai/tiktoken (tiktoken/load.py, src/lib.rs).

A word that is a token is one, however it would be merged (`ignore_merges`), as in tiktoken.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import Any

from headway.errors import TokenizerError, nearest
from headway.tokenizer.checks import Fields, whole_number
from headway.tokenizer.formats.documents import (
    Content,
    Document,
    added_token,
    bpe_model,
    document,
    template,
)
from headway.tokenizer.formats.equivalence import difference
from headway.tokenizer.formats.files import CONFIG, read_bytes, written_json
from headway.tokenizer.formats.ranks import Ranks, merges_of, ranks_of, written
from headway.tokenizer.formats.tiktoken_encodings import ENCODINGS, RankEncoding
from headway.tokenizer.split_patterns import byte_level

__all__ = ["holds_ranks", "read_tiktoken", "write_tiktoken"]

_LINE = re.compile(rb"([A-Za-z0-9+/]+=*) (\d{1,10})\r?(?:\n|\Z)")
_LONGEST = 1024  # bytes; 128 is the most in the published files
_LLAMA_3_RANKS = 128_000


def holds_ranks(path: Path) -> bool:
    """Whether a file begins as one of ranks does; a .model may also be SentencePiece's."""
    try:
        with path.open("rb") as file:
            return _LINE.match(file.read(4 * _LONGEST)) is not None
    except OSError:
        return False  # whoever reads it says why


def read_tiktoken(path: Path, config: dict[str, Any]) -> Content:
    """The tokenizer.json that is equivalent to a file of ranks.

    Args:
        path: the file, named after its encoding: cl100k_base.tiktoken, or Llama 3's
            tokenizer.model.
        config: what tokenizer_config.json says; its added_tokens_decoder, if there is one, says
            which special tokens there are.
    """
    ranks = _read_ranks(path)
    encoding = ENCODINGS[_encoding_name(path, len(ranks))]
    fields = Fields(config, "tokenizer_config.json")
    special = _said_special(fields)
    if special is None:
        special = encoding.special(len(ranks))
    return Content(_document(path, ranks, encoding, special, fields))


def _read_ranks(path: Path) -> Ranks:
    ranks: Ranks = {}
    owners: dict[int, bytes] = {}
    for number, line in enumerate(read_bytes(path).splitlines(), start=1):
        if not line:
            continue
        token, rank = _token_and_rank(line, f"line {number} of {path}")
        if token in ranks:
            raise TokenizerError(f"line {number} of {path} has {token!r:.60} a second time")
        if rank in owners:
            raise TokenizerError(
                f"line {number} of {path} gives the rank {rank} to {token!r:.60}, "
                f"which {owners[rank]!r:.60} has"
            )
        ranks[token], owners[rank] = rank, token
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing:
        raise TokenizerError(
            f"{path} has no token for the byte {missing[0]:#04x}",
            allowed="a vocabulary with all 256 bytes",
            next_step="get the file again: it is cut off, or no file of ranks",
        )
    return ranks


def _token_and_rank(line: bytes, place: str) -> tuple[bytes, int]:
    found = _LINE.fullmatch(line)
    try:
        token = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        token = b""
    if not found or not 0 < len(token) <= _LONGEST or not whole_number(int(found[2])):
        raise TokenizerError(
            f"{place} is {line!r:.60}",
            allowed=f"a token of at most {_LONGEST} bytes in base64, a space and its rank",
        )
    return token, int(found[2])


def _encoding_name(path: Path, ranks: int) -> str:
    """The encoding that a file is named after."""
    if path.stem in ENCODINGS:
        return path.stem
    # Llama 4's file has this name too, and more ranks.
    if path.name == "tokenizer.model" and ranks == _LLAMA_3_RANKS:
        return "llama-3"
    raise TokenizerError(
        f"{path} holds {ranks:,} ranks, and its name does not say of which encoding "
        f"{nearest(path.stem, ENCODINGS)}".rstrip(),
        allowed=", ".join(ENCODINGS),
        next_step="name the file after its encoding: cl100k_base.tiktoken, llama-3.model",
    )


def _said_special(fields: Fields) -> dict[str, int] | None:
    """The special tokens of a configuration's added_tokens_decoder, id -> token."""
    if fields.values.get("added_tokens_decoder") is None:
        return None
    place = f"{fields.place}.added_tokens_decoder"
    special: dict[str, int] = {}
    for number, entry in fields.mapping("added_tokens_decoder").items():
        content = Fields(entry, f"{place}[{number}]").text("content")
        if not re.fullmatch("[0-9]{1,9}", number):
            raise TokenizerError(f"{place} has the id {number!r:.40}", allowed="a whole number")
        special[content] = int(number)
    return special


def _document(
    path: Path, ranks: Ranks, encoding: RankEncoding, special: dict[str, int], fields: Fields
) -> Document:
    # Special tokens stand in the model's vocabulary too: other programs number anew those that do
    # not, and there are gaps between ids.
    vocabulary = {written(token): rank for token, rank in ranks.items()}
    _refuse_overlap(path, vocabulary, special)
    vocabulary |= special
    before = encoding.before
    wraps = fields.flag("add_bos_token", bool(before)) and before in special
    return document(
        bpe_model(vocabulary, merges_of(ranks), ignore_merges=True),
        added_tokens=[added_token(number, token) for token, number in special.items()],
        normalizer=encoding.normalizer,
        pre_tokenizer=byte_level(encoding.pattern),
        post_processor=template(f"{before} A", f"{before} A {before} B:1", vocabulary)
        if wraps
        else None,
        decoder=byte_level(),
    )


def _refuse_overlap(path: Path, vocabulary: dict[str, int], special: dict[str, int]) -> None:
    owners = {number: token for token, number in vocabulary.items()}
    for token, number in special.items():
        taken = owners.get(number) or (token if token in vocabulary else None)
        if taken is not None:
            raise TokenizerError(
                f"{path} has the token {taken!r:.60} where the encoding has the special token "
                f"{token!r:.60} with the id {number}",
                next_step="name the file after its own encoding",
            )


def write_tiktoken(source: Document) -> dict[str, bytes]:
    """The files that say what a tokenizer.json says: ranks, and special tokens if they differ.

    The file is named after an encoding that cuts texts alike.
    """
    special = {token["content"]: token["id"] for token in source.get("added_tokens") or []}
    is_bpe = "merges" in source["model"]
    ranks = ranks_of(source["model"]["vocab"], {*special}) if is_bpe else None
    if ranks is None:
        raise TokenizerError(
            "ranks are of byte-level BPE, and this tokenizer is of another kind",
            allowed="a model BPE whose tokens are written in the alphabet of bytes",
        )
    name = _same_cutting(source, special, len(ranks))
    own = ENCODINGS[name].special(len(ranks)) == special
    config: Document = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": "SpecialToken" in str(source.get("post_processor")),
    }
    if not own:
        entries = source.get("added_tokens") or []
        config["added_tokens_decoder"] = {
            str(entry["id"]): {key: entry[key] for key in entry if key != "id"} for entry in entries
        }
    rows = (
        base64.b64encode(token) + b" %d\n" % rank
        for token, rank in sorted(ranks.items(), key=lambda item: item[1])
    )
    return {f"{name}.tiktoken": b"".join(rows), CONFIG: written_json(config)}


def _same_cutting(source: Document, special: dict[str, int], ranks: int) -> str:
    """The name of the encoding that cuts alike, one with the same special tokens if there is."""
    parts = ("normalizer", "pre_tokenizer")
    cutting = {part: source.get(part) for part in parts}
    same = [
        name
        for name, encoding in ENCODINGS.items()
        if difference(
            {**cutting, "model": {}},
            {
                "normalizer": encoding.normalizer,
                "pre_tokenizer": byte_level(encoding.pattern),
                "model": {},
            },
        )
        is None
    ]
    if not same:
        raise TokenizerError(
            "no encoding of tiktoken's prepares and splits texts as this tokenizer does",
            allowed=f"the normalizer and split pattern of one of {', '.join(ENCODINGS)}",
        )
    return next((name for name in same if ENCODINGS[name].special(ranks) == special), same[0])
