"""Training: an open loop, and the bricks around it.

loop.py        the loop           options.py    its numbers
collate.py     texts with windows as batches    vocabulary.py   only the word rows in use
optimiser.py   AdamW              schedule.py   warm-up and decay
precision.py   bf16 or fp32       best.py       early stopping
interrupt.py   Ctrl-C behind a step             replies.py      several replies to one input
"""

from headway.training.loop import History, train
from headway.training.options import Options

__all__ = ["History", "Options", "train"]
