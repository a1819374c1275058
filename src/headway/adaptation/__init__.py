"""Adaptation: from labelled text to a measured, saved model.

adapt.py     the whole way                  settings.py  what a user may decide
rows.py      which rows train, choose and judge
plan.py      what was left open, decided    probe.py     a head from a linear probe
fit.py       training                       units.py     numbers in a unit to train in
scoring.py   answers and their scores       report.py    what was measured
runs.py      the run as a folder            machine.py   versions, memory, time
evaluate.py  a saved run on other rows      seeds.py     the same with several seeds
compare.py   two runs on the same rows      rerun.py     a run once more
methods/     which weights learn            energy.py    what training took
"""

from headway.adaptation.adapt import Result, adapt
from headway.adaptation.compare import compare
from headway.adaptation.evaluate import evaluate
from headway.adaptation.rerun import rerun
from headway.adaptation.settings import Settings

__all__ = ["Result", "Settings", "adapt", "compare", "evaluate", "rerun"]
