"""Adaptation: from labelled text to a measured, saved model.

adapt.py     the whole way                  settings.py  what a user may decide
rows.py      which rows train, choose and judge; overlap.py  doubles and leaks
plan.py      what was left open, decided    find_rate.py the rate, by trying
methods/     which weights learn            steps.py     what a step reads and moves
start.py     the head's start
fit.py       training                       calibrate.py thresholds behind it
scoring.py   answers and their scores       report.py    what was measured
runs.py      the run as a folder            seeds.py     the same with several seeds
evaluate.py  a saved run on other rows      compare.py   two runs on the same rows
rerun.py     a run once more                advise.py    which way to adapt, by trying
following.py log and page of a run on its way
learning_curve.py  what labels are worth
"""

from headway.adaptation.adapt import Result, adapt
from headway.adaptation.advise import advise
from headway.adaptation.compare import compare
from headway.adaptation.evaluate import evaluate
from headway.adaptation.learning_curve import learning_curve
from headway.adaptation.rerun import rerun
from headway.adaptation.settings import Settings

__all__ = [
    "Result",
    "Settings",
    "adapt",
    "advise",
    "compare",
    "evaluate",
    "learning_curve",
    "rerun",
]
