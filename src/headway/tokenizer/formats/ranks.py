"""Ranks and merges: two ways to write down one byte-pair encoding.

tiktoken keeps the rank of each token, and joins the two neighbours whose union has the lowest. A
tokenizer.json keeps the pairs. A token only ever comes about by one pair: inside of its bytes,
whatever stands around, the merges are those of its bytes alone.
"""

from __future__ import annotations

from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS

__all__ = ["last_merge", "merges_of", "written"]

Ranks = dict[bytes, int]

_NEVER = 2**64


def written(token: bytes) -> str:
    """Bytes in the alphabet of byte-level vocabularies.

    >>> written(b" the")
    'Ġthe'
    """
    return token.decode("latin-1").translate(BYTE_CHARACTERS)


def merges_of(ranks: Ranks) -> list[list[str]]:
    """The pairs that make the tokens of more than one byte, in the order of their ranks.

    A token that no pair makes has none: it is found as a whole word only.

    >>> merges_of({b"a": 0, b"b": 1, b"ab": 2, b"aba": 3})
    [['a', 'b'], ['ab', 'a']]
    """
    tokens = sorted((token for token in ranks if len(token) > 1), key=ranks.__getitem__)
    pairs = [last_merge(token, ranks) for token in tokens]
    return [[written(left), written(right)] for left, right in filter(None, pairs)]


def last_merge(token: bytes, ranks: Ranks) -> tuple[bytes, bytes] | None:
    """The two tokens that are joined last when the bytes of a token are merged.

    >>> last_merge(b"abc", {b"a": 0, b"b": 1, b"c": 2, b"bc": 3, b"ab": 4, b"abc": 5})
    (b'a', b'bc')
    """
    cuts = [*range(len(token) + 1)]  # part i is token[cuts[i] : cuts[i + 1]]
    unions = [ranks.get(token[i : i + 2], _NEVER) for i in range(len(token) - 1)]
    while len(unions) > 1:
        best = min(unions)
        if best == _NEVER:
            return None
        i = unions.index(best)
        del unions[i], cuts[i + 1]
        if i < len(unions):
            unions[i] = ranks.get(token[cuts[i] : cuts[i + 2]], _NEVER)
        if i > 0:
            unions[i - 1] = ranks.get(token[cuts[i - 1] : cuts[i + 1]], _NEVER)
    return token[: cuts[1]], token[cuts[1] :]
