"""Models on disk, in the ecosystem's own format: read strictly, written all at once.

checkpoint.py  a folder as parts of a model     folders.py     a folder replaced whole
tensors.py     weight files                     embedding.py   how a text's vector is made
assign.py      tensors into a module            generation.py  how text is written
heads.py       which head                       documents.py   JSON files
scope.py       what texts of no label are called
"""

from headway.checkpoints.checkpoint import (
    Checkpoint,
    is_model_folder,
    load_checkpoint,
    saved_checkpoint,
)
from headway.checkpoints.folders import replaced_folder
from headway.checkpoints.heads import HeadPlan, new_head
from headway.checkpoints.scope import SCORES, Scope

__all__ = [
    "SCORES",
    "Checkpoint",
    "HeadPlan",
    "Scope",
    "is_model_folder",
    "load_checkpoint",
    "new_head",
    "replaced_folder",
    "saved_checkpoint",
]
