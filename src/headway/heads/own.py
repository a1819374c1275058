"""Heads of Headway's own, which fit every family."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from torch import nn

from headway.core.names import Row
from headway.core.pooling import POOLINGS
from headway.errors import ConfigError, nearest
from headway.heads.attention_pooling import AttentionPooling
from headway.heads.biaffine import BiaffineHead
from headway.heads.classification import Classifier
from headway.heads.crf import Crf, CrfHead
from headway.heads.lstm import BiLstm, EndStates
from headway.heads.mlp import mlp
from headway.heads.span import SpanHead
from headway.heads.spec import HeadSpec
from headway.heads.token_classification import TokenClassifier

__all__ = ["OWN_HEADS", "TEXT_POOLINGS", "Build", "own_head"]

Build = Callable[..., nn.Module]
"""(hidden size, labels, dropout rate, and the pooling where it is a head of texts) -> head."""


def text_linear(hidden: int, labels: int, dropout: float, pooling: str) -> Classifier:
    """One linear layer on the pooled states: 768 -> 2 is 1,538 parameters."""
    return Classifier(_pooling(pooling, hidden), nn.Linear(hidden, labels), dropout=dropout)


def text_mlp(hidden: int, labels: int, dropout: float, pooling: str) -> Classifier:
    """A hidden layer between pooled states and logits."""
    return Classifier(
        _pooling(pooling, hidden),
        nn.Linear(hidden, labels),
        transform=mlp(hidden),
        dropout=dropout,
    )


def text_lstm(hidden: int, labels: int, dropout: float, pooling: str) -> Classifier:
    """A text is read once more, both ways, before pooling (Conneau et al. 2017, with `max`).

    `first` and `last` both take the last state of each direction: the other state there has read
    one token.
    """
    encoder, size = _lstm(hidden)
    pool = EndStates() if pooling in ("first", "last") else _pooling(pooling, size)
    return Classifier(pool, nn.Linear(size, labels), encoder=encoder, dropout=dropout)


def token_linear(hidden: int, labels: int, dropout: float) -> TokenClassifier:
    """One linear layer on each state."""
    return TokenClassifier(nn.Linear(hidden, labels), dropout=dropout)


def token_mlp(hidden: int, labels: int, dropout: float) -> TokenClassifier:
    """A hidden layer between each state and its logits."""
    return TokenClassifier(nn.Linear(hidden, labels), transform=mlp(hidden), dropout=dropout)


def token_lstm(hidden: int, labels: int, dropout: float) -> TokenClassifier:
    """The sequence is read once more, both ways."""
    encoder, size = _lstm(hidden)
    return TokenClassifier(nn.Linear(size, labels), encoder=encoder, dropout=dropout)


def token_crf(hidden: int, labels: int, dropout: float) -> CrfHead:
    """One linear layer on each state, and what neighbouring labels are worth."""
    return CrfHead(nn.Linear(hidden, labels), Crf(labels), dropout=dropout)


def token_lstm_crf(hidden: int, labels: int, dropout: float) -> CrfHead:
    """Both: the model of Lample et al. 2016 over the body's states."""
    encoder, size = _lstm(hidden)
    return CrfHead(nn.Linear(size, labels), Crf(labels), encoder=encoder, dropout=dropout)


def span_linear(hidden: int, labels: int, dropout: float) -> SpanHead:
    """One linear layer on each state; two outputs, whatever they are called."""
    return SpanHead(nn.Linear(hidden, 2), dropout=dropout)


def span_mlp(hidden: int, labels: int, dropout: float) -> SpanHead:
    """A hidden layer between each state and its two outputs."""
    return SpanHead(nn.Linear(hidden, 2), transform=mlp(hidden), dropout=dropout)


def pairs_biaffine(hidden: int, labels: int, dropout: float) -> BiaffineHead:
    """Each span of up to 32 words, by its first and its last one."""
    return BiaffineHead(hidden, labels, dropout=dropout)


OWN_HEADS: dict[str, dict[str, Build]] = {
    "text": {"linear": text_linear, "lstm": text_lstm, "mlp": text_mlp},
    "token": {
        "crf": token_crf,
        "linear": token_linear,
        "lstm": token_lstm,
        "lstm-crf": token_lstm_crf,
        "mlp": token_mlp,
    },
    "span": {"linear": span_linear, "mlp": span_mlp},
    "pairs": {"biaffine": pairs_biaffine},
}
"""What there are logits of -> name -> how it is built.

text   one row a text, from pooled states
token  one row a token
span   a start and an end a token
pairs  a table a sequence: one row for each pair of a first and a last token
"""

TEXT_POOLINGS = (*POOLINGS, "attention")
"""How the states of a text become one vector under a head of ours."""

TENSORS = (
    "output.*",
    "transform.#.*",
    "pooling.key.*",
    "pooling.query.*",
    "pair.*",
    "start.#.*",
    "end.#.*",
    "crf.transitions",
    "crf.start",
    "crf.end",
    "encoder.lstm.weight_ih_l#",
    "encoder.lstm.weight_hh_l#",
    "encoder.lstm.bias_ih_l#",
    "encoder.lstm.bias_hh_l#",
    "encoder.lstm.weight_ih_l#_reverse",
    "encoder.lstm.weight_hh_l#_reverse",
    "encoder.lstm.bias_ih_l#_reverse",
    "encoder.lstm.bias_hh_l#_reverse",
)
"""Names of the tensors that such heads have; `#` and `*` as in a family's table."""


def own_head(name: str, pooling: str | None = None, *, of: str = "text") -> HeadSpec:
    """The head of that name, as a spec that any family can carry.

    Args:
        name: key of OWN_HEADS[of].
        pooling: of a head of texts; one of TEXT_POOLINGS.
        of: key of OWN_HEADS: what there are logits of.

    Raises:
        ConfigError: a name is not known, or a pooling is given where nothing is pooled.
    """
    _check("heads of", of, OWN_HEADS)
    _check("head", name, OWN_HEADS[of])
    if of == "text":
        _check("pooling", pooling, TEXT_POOLINGS)
    elif pooling is not None:
        raise ConfigError(
            f"pooling {pooling!r} with a head of {of!r}", allowed="none: no states are pooled there"
        )
    pooled = (pooling,) if of == "text" else ()

    def build(config: Any, body: nn.Module, labels: int) -> nn.Module:
        rate = getattr(config, "dropout", 0.0)
        return OWN_HEADS[of][name](config.hidden, labels, rate, *pooled)

    rows: tuple[Row, ...] = tuple((tensor, f"head.{tensor}") for tensor in TENSORS)
    return HeadSpec("", build, rows)


def _pooling(name: str, hidden: int) -> str | nn.Module:
    return AttentionPooling(hidden) if name == "attention" else name


def _lstm(hidden: int) -> tuple[BiLstm, int]:
    """Half the size each way, so that both together are as large as a hidden state."""
    size = max(1, hidden // 2)
    return BiLstm(hidden, size), 2 * size


def _check(what: str, value: object, known: Collection[str]) -> None:
    if value not in known:
        raise ConfigError(
            f"{what} {value!r} is not known",
            allowed=", ".join(known),
            next_step=nearest(str(value), known),
        )
