"""Training: an open loop, and the bricks around it.

loop.py        the loop                     options.py     its numbers
accumulate.py  a step in parts              learner.py     model and loss as one module
collate.py     texts with windows as batches
objectives/    what is asked about raw text noise.py       texts made worse, to be mended
chance.py      draws by seed and step       keeper.py      a run on its way, on disk
states.py      how its tensors lie there    output.py      where a run is saved
processes.py   several that train one model sharding.py    of which each holds a share
ray_train.py   on a Ray cluster             energy.py      what training took
machine.py     versions, memory, time
optimisers/    one file each                schedule.py    how the rate moves
rate_range.py  which rate, by trying
remembered.py  measured of a machine once   utilisation.py of what it can multiply
vocabulary.py  only the word rows in use    precision.py   half or whole    scaling.py  of fp16
best.py        early stopping               average.py     of the last steps' parameters
validations.py when there is one            followers/     log, page and events of a run
depth.py       parameters by depth          interrupt.py   Ctrl-C behind a step
identity.py    which model it is            word_starts.py which tokens begin words
likelihood.py  surprise of each token       masking.py     which tokens are hidden
targets.py     texts to be written          replies.py     several replies to one input
"""

from headway.training.loop import History, train
from headway.training.options import Options

__all__ = ["History", "Options", "train"]
