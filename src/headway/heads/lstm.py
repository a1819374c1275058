"""A recurrent layer between states and the head: each token is read in order, both ways."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from headway.core.layout import Layout
from headway.core.pooling import first, last
from headway.core.steps import Steps

__all__ = ["BiLstm", "EndStates"]


class BiLstm(nn.Module):
    """One LSTM that reads a sequence forwards and one that reads it backwards, side by side.

    Args:
        hidden: size of a hidden state.
        size: of the state of each direction.

    >>> BiLstm(6, 2)(torch.ones(5, 6), Layout((3, 2))).shape
    torch.Size([5, 4])

    Sources: Hochreiter & Schmidhuber 1997; Graves & Schmidhuber 2005.
    """

    def __init__(self, hidden: int, size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(hidden, size, bidirectional=True)

    def forward(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> [tokens, 2 * size], forward states first."""
        steps = Steps(layout)
        packed = PackedSequence(steps.arrange(hidden), torch.tensor(steps.sizes))
        states, _ = self.lstm(packed)
        return steps.restore(states.data)


class EndStates(nn.Module):
    """Pools what a BiLstm gives: of each direction the state that has read the whole sequence.

    >>> states = torch.tensor([[1.0, -1.0], [2.0, -2.0], [3.0, -3.0]])
    >>> EndStates()(states, Layout((3,)))
    tensor([[ 3., -1.]])
    """

    def forward(self, states: Tensor, layout: Layout) -> Tensor:
        """[tokens, 2 * size] -> [sequences, 2 * size]."""
        forwards, backwards = states.chunk(2, dim=-1)  # [tokens, size] each
        return torch.cat([last(forwards, layout), first(backwards, layout)], dim=-1)
