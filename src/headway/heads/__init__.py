"""From hidden states to logits. A head gives logits only; losses are functions in `losses`."""

from headway.heads.classification import Classifier
from headway.heads.language import LanguageModelHead
from headway.heads.own import OWN_HEADS, own_head
from headway.heads.spec import HeadSpec

__all__ = ["OWN_HEADS", "Classifier", "HeadSpec", "LanguageModelHead", "own_head"]
