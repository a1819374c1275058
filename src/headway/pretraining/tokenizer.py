"""The tokenizer of a model that starts from nothing: one that is there, or one learnt first."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from headway.errors import ConfigError
from headway.logs import log
from headway.pretraining.corpus import Corpus
from headway.tokenizer import Tokenizer
from headway.tokenizer.training import train_tokenizer
from headway.training.objectives.denoise import SENTINELS

__all__ = ["USUAL", "TokenizerPlan", "tokenizer_for"]

USUAL = {
    "gpt2": "byte-bpe",
    "llama": "byte-bpe",
    "mistral": "byte-bpe",
    "qwen2": "byte-bpe",
    "qwen3": "byte-bpe",
    "openai-gpt": "byte-bpe",
    "t5": "unigram",
    "bart": "unigram",
    "mbart": "unigram",
    "pegasus": "unigram",
    "marian": "unigram",
    "albert": "unigram",
}
"""`model_type` -> kind of tokenizer; wordpiece for all others."""

SIZE = 16_000


@dataclass(frozen=True)
class TokenizerPlan:
    """How a tokenizer is learnt.

    Attributes:
        kind: one of the kinds of `train_tokenizer`; None = the family's usual one.
        size: tokens of the vocabulary.
        lowercase: whether all text is lowercased; None = as wordpiece models of this kind are.
    """

    kind: str | None = None
    size: int = SIZE
    lowercase: bool | None = None


def tokenizer_for(
    family: str, corpus: Corpus, asked: str | Path | TokenizerPlan | None
) -> Tokenizer:
    """The tokenizer that is named, or one learnt from the texts.

    Args:
        family: `model_type` of the model.
        corpus: the texts.
        asked: a folder or file of a tokenizer, a plan, or None.

    Raises:
        TokenizerError: the file cannot be read.
        ConfigError: the plan cannot be.
    """
    if isinstance(asked, (str, Path)):
        return Tokenizer.load(asked)
    plan = asked or TokenizerPlan()
    kind = plan.kind or USUAL.get(family, "wordpiece")
    special = SENTINELS if family == "t5" else ()
    if plan.size < 300 + len(special):
        raise ConfigError(f"a vocabulary of {plan.size}", allowed=f"{300 + len(special)} or more")
    lowercase = kind == "wordpiece" if plan.lowercase is None else plan.lowercase
    made = train_tokenizer(
        corpus.texts, kind=kind, size=plan.size, lowercase=lowercase, special=special
    )
    said = ", lowercased" if lowercase else ""
    log.info("learnt a %s tokenizer of %d tokens from the texts%s", kind, len(made), said)
    return made
