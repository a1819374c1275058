"""Ranks and merges: two ways to write down one byte-pair encoding.

tiktoken keeps the rank of each token, and joins the two neighbours whose union has the lowest. A
tokenizer.json keeps the pairs. A token only ever comes about by one pair: inside of its bytes,
whatever stands around, the merges are those of its bytes alone.
"""

from __future__ import annotations

from headway.tokenizer.byte_alphabet import BYTE_CHARACTERS, BYTE_VALUES

__all__ = ["Ranks", "is_by_ranks", "last_merge", "merges_of", "ranks_of", "written"]

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


def ranks_of(vocabulary: dict[str, int], special: set[str]) -> Ranks | None:
    """The ranks of a byte-level vocabulary, or None where a token is not written in bytes.

    >>> ranks_of({"Ġa": 0, "<s>": 1}, {"<s>"})
    {b' a': 0}
    """
    ranks: Ranks = {}
    for token, rank in vocabulary.items():
        if token in special:
            continue
        if not all(character in BYTE_VALUES for character in token):
            return None
        ranks[bytes(BYTE_VALUES[character] for character in token)] = rank
    return ranks


def is_by_ranks(
    vocabulary: dict[str, int],
    merges: list[tuple[str, str]],
    special: set[str],
    *,
    whole: bool,
) -> bool:
    """Whether merging by pairs does what merging by ranks does, if a token's rank is its id.

    Args:
        vocabulary: token -> id.
        merges: the pairs, in their order.
        special: tokens that are not made of others.
        whole: a word that is a token is one, however it would be merged.
    """
    ranks = ranks_of(vocabulary, special)
    if ranks is None or any(bytes([byte]) not in ranks for byte in range(256)):
        return False
    made = [vocabulary.get(left + right, -1) for left, right in merges]
    pairs = {tuple(pair) for pair in merges_of(ranks)}
    makes = {vocabulary[left + right] for left, right in pairs}
    longer = sum(len(token) > 1 for token in ranks)
    # Other pairs than the last one of a token never meet, wherever they stand among its own.
    return (
        made == sorted(made)
        and pairs <= {*merges}
        and {*made} == makes
        and (whole or len(pairs) == longer)
    )
