"""The bricks that families are wired from.

layout       ragged batches: which rows belong to which text
masks        who may attend to whom
band         texts cut into blocks beside the keys that a window reaches
kernels      attention itself: a readable one, fast ones, the GPU's
attention_dropout  where its map has dropout, on a processor
padded       batches in a rectangle, for programs that are traced
attention    the projections around a kernel
global_attention  the same where a few tokens see and are seen by all
disentangled attention to content and to distances, with kernels of its own
feedforward  plain and gated, and their activations
bottleneck   narrow layers that learn behind them
positions    learned, rotary, relative
embeddings   from ids to the first hidden states
blocks       where the norms stand
sharing      blocks that are applied several times
stacks       encoder, decoder, the two joined
cache        keys and values of what a decoder has read
pooling      one vector a text
dropout      cheap on processors
linear       several layers in one product
taps         points that can be read or edited by name
outputs      what a forward pass gives back
initial      fresh weights
names        weight names, ours beside the ecosystem's
fields       configs, ours beside config.json
"""

import os

# Ragged batches rarely have the same number of tokens twice, and torch's matrix library keeps a
# compiled kernel for each of the last thousand shapes: hundreds of megabytes that are never used
# again. It reads this at its first product; a value that the user has set stays.
for _name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_name, "32")

# A large tensor gets fresh memory each time, which the system clears page by page: in pages of 2 MB
# instead of 4 KB a table's gradient of zeros takes a third of the time. torch reads this when it
# makes its first tensor.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
