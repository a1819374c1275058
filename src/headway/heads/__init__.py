"""From hidden states to logits. A head gives logits only; losses are functions in `losses`."""

from headway.heads.biaffine import BiaffineHead
from headway.heads.choice import CHOICE, choosing
from headway.heads.classification import Classifier
from headway.heads.crf import Crf, CrfHead, viterbi
from headway.heads.language import LanguageModelHead
from headway.heads.own import OWN_HEADS, TEXT_POOLINGS, own_head
from headway.heads.span import SpanHead
from headway.heads.spec import HeadSpec
from headway.heads.token_classification import TokenClassifier

__all__ = [
    "CHOICE",
    "OWN_HEADS",
    "TEXT_POOLINGS",
    "BiaffineHead",
    "Classifier",
    "Crf",
    "CrfHead",
    "HeadSpec",
    "LanguageModelHead",
    "SpanHead",
    "TokenClassifier",
    "choosing",
    "own_head",
    "viterbi",
]
