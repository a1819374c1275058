"""Models on disk, in the ecosystem's own format: read strictly, written atomically."""

from headway.checkpoints.checkpoint import Checkpoint, load_checkpoint, saved_checkpoint
from headway.checkpoints.folders import replaced_folder
from headway.checkpoints.heads import HeadPlan, new_head

__all__ = [
    "Checkpoint",
    "HeadPlan",
    "load_checkpoint",
    "new_head",
    "replaced_folder",
    "saved_checkpoint",
]
