"""Stages: pre-training, second pre-training, adaptation, one behind the other from one file.

plan.py   the file, read and checked     run.py   one stage on the model of the one before
files.py  the files that a stage reads
"""

from headway.stages.plan import Stage, read_stages
from headway.stages.run import Staged, run_stages

__all__ = ["Stage", "Staged", "read_stages", "run_stages"]
