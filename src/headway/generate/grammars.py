"""Guides to regular expressions and JSON schemas, by the llguidance package.

Source: https://github.com/guidance-ai/llguidance (extra `constrained`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
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
        matcher: of llguidance.
        twins: tokens that write something else at the start -> the matcher's token that writes that
            anywhere; None = nothing is written.
        rows: of logits.
        start: whether nothing was written yet.
    """

    def __init__(
        self,
        matcher: Any,
        twins: dict[int, int | None],
        rows: int,
        *,
        start: bool = True,
    ) -> None:
        self.matcher, self.twins, self.rows, self.start = matcher, twins, rows, start

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
        found = torch.from_numpy(np.unpackbits(bits, bitorder="little")).bool()
        allowed[:] = found[: self.rows]
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
        return GrammarGuide(matcher, self.twins, self.rows, start=self.start)

    def _refuse_errors(self) -> None:
        if self.matcher.is_error():
            raise ConfigError(
                f"the constraint cannot be followed: {_reason(self.matcher.get_error())}",
                next_step="make it simpler",
            )


class _Words:
    """A tokenizer as llguidance wants it, which asks for the tokens of what has only one way on."""

    def __init__(self, tokenizer: Tokenizer, spelling: Spelling, rows: int) -> None:
        later = [*spelling.later[:rows], *[b""] * (rows - len(spelling.later))]
        self.ids = {data: id for id, data in enumerate(later) if data}
        differ = {
            id: data for id, data in enumerate(spelling.first[:rows]) if data != spelling.later[id]
        }
        # Every byte has to be a token there, if only one that no model has.
        wanted = {*differ.values(), *(bytes([byte]) for byte in range(256))} - {b""}
        extra = {data: rows + n for n, data in enumerate(sorted(wanted - self.ids.keys()))}
        self.twins = {id: self.ids.get(data, extra.get(data)) for id, data in differ.items()}
        self.ids |= {data: id for data, id in extra.items() if len(data) == 1}
        self.tokens = [*later, *extra, b""]
        self.eos_token_id = len(self.tokens) - 1
        self.bos_token_id = None
        self.special_token_ids = [self.eos_token_id]
        self.tokenizer = tokenizer
        self.longest = max(map(len, self.ids), default=0)

    def __call__(self, text: str) -> list[int]:
        """The tokenizer's own ids where they spell the text, else the longest tokens there are."""
        ids = list(self.tokenizer.encode(text, special=False).ids)
        data = text.encode()
        if b"".join(self.tokens[id] for id in ids) == data:
            return ids
        ids, place = [], 0
        while place < len(data):
            sizes = range(min(self.longest, len(data) - place), 0, -1)
            found = next(n for n in sizes if data[place : place + n] in self.ids)
            ids.append(self.ids[data[place : place + found]])
            place += found
        return ids


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
    words = _Words(tokenizer, spelling, rows)
    known = package.LLTokenizer(package.TokenizerWrapper(words), n_vocab=len(words.tokens))
    matcher = package.LLMatcher(known, grammar, log_level=0)
    if matcher.is_error():
        raise ConfigError(
            f"{_named(constraint)} cannot be followed: {_reason(matcher.get_error())}",
            next_step="leave out what is not supported",
        )
    trial = matcher.deep_copy()
    trial.compute_bitmask()
    if trial.is_error() or (trial.is_stopped() and not matcher.is_accepting()):
        raise ConfigError(
            f"{_named(constraint)} allows no text that the model's tokens can begin",
            next_step="allow more",
        )
    return lambda: GrammarGuide(matcher.deep_copy(), words.twins, rows)


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
        read = json.loads(schema if isinstance(schema, str) else json.dumps(schema))
        read = {True: {}, False: {"enum": []}}[read] if isinstance(read, bool) else read
        grammar = matcher.grammar_from_json_schema(
            json.dumps(read), overrides={"whitespace_pattern": WHITESPACE}
        )
        return str(grammar)
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the schema is not JSON: {error}", allowed="a JSON Schema, as a dict or as JSON text"
        ) from None


def _named(constraint: Regex | Schema) -> str:
    if isinstance(constraint, Regex):
        return f"regex {constraint.pattern!r:.80}"
    return f"schema {constraint.schema!r:.80}"


def _reason(message: str) -> str:
    """The line of a message that says why: that of an expression's parser is its last."""
    lines = [line.strip() for line in message.strip().splitlines()] or ["no reason was given"]
    return next((line for line in reversed(lines) if line.startswith("error: ")), lines[0])
