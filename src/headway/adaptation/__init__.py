"""Adaptation: from labelled text to a measured, saved model.

adapt.py     the whole way       settings.py   what a user may decide
rows.py      which rows train, choose and judge
plan.py      what was left open, decided        probe.py   a head from a linear probe
fit.py       training            scoring.py    answers and their scores
report.py    what was measured   runs.py       the run as a folder
evaluate.py  a saved run on other rows
"""

from headway.adaptation.adapt import Result, adapt
from headway.adaptation.evaluate import evaluate
from headway.adaptation.settings import Settings

__all__ = ["Result", "Settings", "adapt", "evaluate"]
