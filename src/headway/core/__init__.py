"""The bricks that families are wired from.

layout       ragged batches: which rows belong to which text
masks        who may attend to whom
kernels      attention itself: a readable one, a fast one, the GPU's
attention    the projections around a kernel
feedforward  plain and gated, and their activations
positions    learned, rotary, relative
embeddings   from ids to the first hidden states
blocks       where the norms stand
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
