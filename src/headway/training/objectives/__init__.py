"""Objectives of pre-training: what a model is asked about raw text. One file each, with a card.

objective.py   what every objective has

A new one is a file with `collate`, which says what is read and told of some texts, and `loss`,
which sums how wrong the model is; and its line below.
"""

from __future__ import annotations

from headway.training.objectives.causal import Causal
from headway.training.objectives.contrastive import Contrastive
from headway.training.objectives.denoise import Denoise
from headway.training.objectives.masked import Masked
from headway.training.objectives.objective import ComparesTexts, Learns, Objective
from headway.training.objectives.replaced import Replaced

__all__ = ["OBJECTIVES", "ComparesTexts", "Learns", "Objective"]

OBJECTIVES: dict[str, type[Objective]] = {
    "masked": Masked,
    "causal": Causal,
    "denoise": Denoise,
    "replaced": Replaced,
    "contrastive": Contrastive,
}
"""Name -> objective."""
