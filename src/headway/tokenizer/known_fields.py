"""The fields that the parts of a tokenizer.json have; any other may change what a part does.

A field of another kind of the same part is left alone, as in the `tokenizers` package: a BPE may
have `unk_id`. Fields beside the parts belong to other programs, and are kept.
"""

from __future__ import annotations

from headway.errors import TokenizerError, nearest
from headway.tokenizer.checks import Fields

__all__ = ["KNOWN_FIELDS", "refuse_unknown_fields"]

_BYTE_LEVEL = ("add_prefix_space", "trim_offsets", "use_regex")
# str_rep is from before there was prepend_scheme; it repeats the replacement.
_METASPACE = ("replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep")

KNOWN_FIELDS: dict[str, frozenset[str]] = {
    part: frozenset(["type", *names])
    for part, names in {
        "normalizer": (
            *("clean_text", "handle_chinese_chars", "strip_accents", "lowercase"),
            *("strip_left", "strip_right", "pattern", "content", "prepend"),
            *("precompiled_charsmap", "normalizers", *_BYTE_LEVEL),
        ),
        "pre_tokenizer": (
            *(*_BYTE_LEVEL, *_METASPACE, "pattern", "behavior", "invert", "delimiter"),
            *("individual_digits", "length", "pretokenizers"),
        ),
        "post_processor": (
            *(*_BYTE_LEVEL, "sep", "cls", "single", "pair", "special_tokens", "processors"),
        ),
        "decoder": (
            *(*_BYTE_LEVEL, *_METASPACE, "prefix", "suffix", "cleanup", "pattern", "content"),
            *("start", "stop", "pad_token", "word_delimiter_token", "decoders"),
        ),
        "model": (
            *("vocab", "merges", "unk_token", "unk_id", "dropout", "continuing_subword_prefix"),
            *("end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges"),
            "max_input_chars_per_word",
        ),
    }.items()
}
"""Part -> the fields of all of its kinds."""


def refuse_unknown_fields(fields: Fields, part: str) -> None:
    """An error where a part has a field that no kind of it has.

    >>> refuse_unknown_fields(Fields({"type": "NFC"}, "normalizer"), "normalizer")
    """
    known = KNOWN_FIELDS[part]
    for name in fields.values:
        if name not in known:
            hint = nearest(name, known)
            raise TokenizerError(
                f"{fields.place} has the unknown field {name!r:.60} {hint}".rstrip(),
                allowed=", ".join(sorted(known)),
                next_step="remove it, or get a version of Headway that knows it",
            )
