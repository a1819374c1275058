"""Pre-training: from raw text to a model, from nothing or from a checkpoint.

pretrain.py  the whole way                  settings.py  what a user may decide
begin.py     what is trained                tokenizer.py its tokenizer, learnt first
corpus.py    texts as blocks of tokens      steps.py     blocks as the steps of each epoch
measure.py   held-out text                  report.py    what was measured, and the run as a folder
"""

from headway.pretraining.pretrain import Pretrained, pretrain
from headway.pretraining.settings import Settings
from headway.pretraining.tokenizer import TokenizerPlan

__all__ = ["Pretrained", "Settings", "TokenizerPlan", "pretrain"]
