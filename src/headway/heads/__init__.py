"""From hidden states to logits. A head gives logits only; losses are functions in `losses`."""

from headway.heads.classification import Classifier
from headway.heads.language import LanguageModelHead
from headway.heads.spec import HeadSpec

__all__ = ["Classifier", "HeadSpec", "LanguageModelHead"]
