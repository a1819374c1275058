"""Guides to regular expressions and JSON schemas, by the llguidance package.

Source: https://github.com/guidance-ai/llguidance (extra `constrained`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headway.errors import ConfigError
from headway.generate.constraints import Regex, Schema
from headway.generate.spelling import Spelling
from headway.tokenizer import Tokenizer

__all__ = ["GrammarGuide", "grammar_guides"]

WHITESPACE = r"\n? {0,8}"
"""Between the parts of JSON: a line's end and an indent, not blanks without end."""


class GrammarGuide:
    """A place in a grammar.

    Args:
        matcher: of llguidance; its tokens are those of `later`, and one more that ends a text.
        spelling: what tokens write.
        twins: tokens that write something else at the start -> the token that writes that anywhere.
        rows: of logits.
        start: whether nothing was written yet.
    """

    def __init__(
        self,
        matcher: Any,
        spelling: Spelling,
        twins: dict[int, int | None],
        rows: int,
        *,
        start: bool = True,
    ) -> None:
        self.matcher, self.spelling, self.twins = matcher, spelling, twins
        self.rows, self.start = rows, start

    @property
    def done(self) -> bool:
        """Whether nothing may follow."""
        return bool(self.matcher.is_stopped())

    @property
    def whole(self) -> bool:
        """Whether the text may end here."""
        return bool(self.matcher.is_accepting())

    def allowed(self) -> Tensor:
        """Bool [rows]: the tokens that lead on."""
        allowed = torch.zeros(self.rows, dtype=torch.bool)
        if self.done:
            return allowed
        bits = np.frombuffer(self.matcher.compute_bitmask(), dtype=np.uint8)
        self._refuse_errors()
        found = torch.from_numpy(np.unpackbits(bits, bitorder="little")[: self.rows]).bool()
        allowed[: len(found)] = found
        if self.start:
            for token, twin in self.twins.items():
                allowed[token] = twin is not None and bool(found[twin])
        return allowed

    def take(self, token: int) -> None:
        """Goes on by a token."""
        twin = self.twins.get(token) if self.start else None
        self.matcher.consume_token(token if twin is None else twin)
        self.start = False
        self._refuse_errors()

    def fork(self) -> GrammarGuide:
        """A second guide at the same place."""
        matcher = self.matcher.deep_copy()
        return GrammarGuide(matcher, self.spelling, self.twins, self.rows, start=self.start)

    def _refuse_errors(self) -> None:
        if self.matcher.is_error():
            raise ConfigError(
                f"the constraint cannot be followed: {_first_line(self.matcher.get_error())}",
                next_step="make it simpler",
            )


class _Words:
    """A tokenizer as llguidance wants it."""

    def __init__(self, tokenizer: Tokenizer, tokens: Sequence[bytes]) -> None:
        self.eos_token_id = len(tokens)
        self.bos_token_id = None
        self.tokens = [*tokens, b""]
        self.special_token_ids = [len(tokens)]
        self.tokenizer = tokenizer

    def __call__(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, special=False).ids)


def grammar_guides(
    constraint: Regex | Schema, tokenizer: Tokenizer, spelling: Spelling, rows: int
) -> Callable[[], GrammarGuide]:
    """What makes guides to what a regular expression matches, or to JSON of a schema.

    Raises:
        ConfigError: llguidance is not installed; the expression or schema cannot be read, asks for
            what cannot be held to, or allows no text.
    """
    package = _package()
    grammar = _grammar(constraint, package.LLMatcher)
    lacking = [b""] * (rows - len(spelling.later))
    words = package.TokenizerWrapper(_Words(tokenizer, [*spelling.later[:rows], *lacking]))
    known = package.LLTokenizer(words, n_vocab=rows + 1)
    matcher = package.LLMatcher(known, grammar, log_level=0)
    if matcher.is_error():
        raise ConfigError(
            f"{_named(constraint)} cannot be followed: {_first_line(matcher.get_error())}",
            next_step="leave out what is not supported",
        )
    anywhere = {data: id for id, data in enumerate(spelling.later) if data}
    twins = {
        id: anywhere.get(first)
        for id, (first, later) in enumerate(zip(spelling.first, spelling.later, strict=True))
        if first != later and id < rows
    }
    return lambda: GrammarGuide(matcher.deep_copy(), spelling, twins, rows)


def _package() -> Any:
    try:
        import llguidance
    except ImportError:
        raise ConfigError(
            "constraints by a regular expression or a schema need the llguidance package",
            next_step="pip install headway[constrained]",
        ) from None
    return llguidance


def _grammar(constraint: Regex | Schema, matcher: Any) -> str:
    if isinstance(constraint, Regex):
        if not isinstance(constraint.pattern, str):
            raise ConfigError(f"regex {constraint.pattern!r}", allowed="a regular expression")
        return str(matcher.grammar_from_regex(constraint.pattern))
    schema = constraint.schema
    try:
        text = schema if isinstance(schema, str) else json.dumps(schema)
        json.loads(text)
        return str(
            matcher.grammar_from_json_schema(text, overrides={"whitespace_pattern": WHITESPACE})
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the schema is not JSON: {error}", allowed="a JSON Schema, as a dict or as JSON text"
        ) from None


def _named(constraint: Regex | Schema) -> str:
    if isinstance(constraint, Regex):
        return f"regex {constraint.pattern!r:.80}"
    return f"schema {constraint.schema!r:.80}"


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0] if message.strip() else "no reason was given"
