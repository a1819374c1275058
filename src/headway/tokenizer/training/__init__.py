"""Training of tokenizers: from texts to the vocabulary of a new one.

train.py       train_tokenizer, and what a training says of itself
kinds.py       KINDS: the steps around each algorithm, and what it learns
splits.py      SPLITS: the patterns that cut texts for byte-level BPE
counting.py    texts from files, columns and iterators, counted by the native engine
bar.py         progress on a terminal
"""

from headway.tokenizer.training.kinds import KINDS
from headway.tokenizer.training.splits import SPLITS
from headway.tokenizer.training.train import Training, train, train_tokenizer

__all__ = ["KINDS", "SPLITS", "Training", "train", "train_tokenizer"]
