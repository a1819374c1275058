"""Labels that depend on their neighbours: a linear-chain conditional random field.

A path gives each place of a sequence one label. Its score is the sum of the emissions (how well a
label fits its place), of a number for each pair of neighbouring labels, and of one for the first
and one for the last label. Its probability is exp(score) over the sum of all paths' exp(score).

Sequences are ragged: all of them take one step of the recursion at once, and none is padded.

Sources: Lafferty, McCallum & Pereira 2001; over a neural network, Lample et al. 2016 (arXiv
1603.01360); the best path, Viterbi 1967.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headway.core.dropout import Dropout
from headway.core.layout import Layout
from headway.core.steps import Steps
from headway.errors import ConfigError

__all__ = ["Crf", "CrfHead", "viterbi"]


class Crf(nn.Module):
    """What neighbouring labels are worth, learned; knows likelihoods and best paths.

    Args:
        labels: how many there are.

    Attributes:
        transitions: [labels, labels], of a label (row) and the next one (column).
        start, end: [labels], of the first and the last label.

    Numbers are taken in full precision, whatever the emissions are in. Sequences of length 0 are
    skipped.

    >>> crf = Crf(3)  # all zeros: the 9 paths of a sequence of two are alike
    >>> crf.loss(torch.zeros(2, 3), torch.tensor([0, 2]), Layout((2,))).exp().detach()
    tensor([9.])
    """

    def __init__(self, labels: int) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.empty(labels, labels))
        self.start = nn.Parameter(torch.empty(labels))
        self.end = nn.Parameter(torch.empty(labels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Puts everything to zero, where labels do not depend on each other."""
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def loss(self, emissions: Tensor, tags: Tensor, layout: Layout) -> Tensor:
        """Negative log-likelihood of the right path of each sequence.

        Args:
            emissions: float [places, labels].
            tags: the right label of each place, int64 [places].
            layout: which places belong to which sequence.

        Returns:
            float [sequences that have places].

        Raises:
            ValueError: as many emissions, tags and places of the layout there are not.
        """
        _check_rows(emissions, layout)
        _check_rows(tags, layout)
        emissions = _in_full(emissions)
        steps = Steps(layout)
        if not steps.sizes:
            return emissions.sum(dim=1)
        numbers = _in_full(self.start), _in_full(self.transitions), _in_full(self.end)
        all_paths = _log_partition(steps.split(emissions), *numbers)
        right = layout.sums(_scores(emissions, tags, layout, *numbers))[steps.sequences]
        return (all_paths - right)[steps.sequences.argsort()]

    def decode(self, emissions: Tensor, layout: Layout) -> list[list[int]]:
        """The best path of each sequence; see `viterbi`."""
        return viterbi(emissions, layout, self.start, self.transitions, self.end)


class CrfHead(nn.Module):
    """A token classifier whose logits are a Crf's emissions.

    Args:
        output: the last linear layer, hidden -> labels.
        crf: for its loss and its paths; `forward` does not ask it.
        encoder: reads the states of whole sequences first, or None.
        transform: before `output`, or None.
        dropout: rate before `output`.

    >>> sum(p.numel() for p in CrfHead(nn.Linear(768, 9), Crf(9)).parameters())
    7020
    """

    per_token = True

    def __init__(
        self,
        output: nn.Linear,
        crf: Crf,
        *,
        encoder: nn.Module | None = None,
        transform: nn.Module | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.transform = transform
        self.dropout = Dropout(dropout)
        self.output = output
        self.crf = crf

    def forward(self, hidden: Tensor, layout: Layout) -> Tensor:
        """[tokens, hidden] -> emissions [tokens, labels]."""
        if self.encoder is not None:
            hidden = self.encoder(hidden, layout)
        if self.transform is not None:
            hidden = self.transform(hidden)
        return self.output(self.dropout(hidden))


@torch.no_grad()
def viterbi(
    emissions: Tensor, layout: Layout, start: Tensor, transitions: Tensor, end: Tensor
) -> list[list[int]]:
    """The path of the highest score for each sequence; [] for one of no places.

    A score of -inf forbids what it stands for: a label at a place, at the start or the end, or
    behind another one (I-PER behind O).

    Args:
        emissions: float [places, labels].
        layout: which places belong to which sequence.
        start, end: of the first and the last label, [labels].
        transitions: of a label (row) and the next one (column), [labels, labels].

    Raises:
        ConfigError: every path of a sequence is forbidden.
        ValueError: as many emissions as places of the layout there are not.

    >>> none = torch.zeros(2)
    >>> only_up = torch.tensor([[0.0, 0.0], [-torch.inf, 0.0]])
    >>> emissions = torch.tensor([[0.0, 1.0], [3.0, 0.0], [0.0, 1.0]])
    >>> viterbi(emissions, Layout((2, 1)), none, only_up, none)
    [[0, 0], [1]]
    """
    _check_rows(emissions, layout)
    steps = Steps(layout)
    if not steps.sizes:
        return [[] for _ in layout.lengths]
    start, transitions, end = _in_full(start), _in_full(transitions), _in_full(end)
    first, *rest = steps.split(_in_full(emissions))
    best = start + first  # [sequences, labels], of the best path that ends in each label
    ends: list[Tensor] = []  # a step: the same for the sequences that end there, with `end`
    before: list[Tensor] = []  # a step behind the first: the label that each label comes from
    for emitted in rest:
        going = len(emitted)
        ends.append(best[going:] + end)
        best, source = (best[:going, :, None] + transitions).max(dim=1)
        best = best + emitted
        before.append(source)
    ends.append(best + end)
    _check_possible(ends, steps)
    tags = ends[-1].argmax(dim=-1)
    path = [tags]
    for ended, source in zip(ends[-2::-1], before[::-1], strict=True):
        came_from = source.gather(1, tags[:, None]).squeeze(1)
        tags = torch.cat([came_from, ended.argmax(dim=-1)])  # [sequences of this step]
        path.append(tags)
    rows = steps.restore(torch.cat(path[::-1]))
    return [part.tolist() for part in layout.split(rows)]


def _log_partition(steps: list[Tensor], start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Log of the sum over all paths, [sequences], in the order of the steps: longest first.

    Args:
        steps: the emissions of each step, [sequences still going, labels].
        start, transitions, end: of the Crf.
    """
    forward = start + steps[0]  # [sequences, labels], over the paths that end in each label
    ended = []
    for emissions in steps[1:]:
        going = len(emissions)
        ended.append(forward[going:])
        pairs = forward[:going, :, None] + transitions  # [going, label, next label]
        forward = pairs.logsumexp(dim=1) + emissions
    return (torch.cat([forward, *ended[::-1]]) + end).logsumexp(dim=-1)


def _scores(
    emissions: Tensor,
    tags: Tensor,
    layout: Layout,
    start: Tensor,
    transitions: Tensor,
    end: Tensor,
) -> Tensor:
    """What each place adds to the score of its right path, [places]."""
    within, sequence = layout.within, layout.sequence
    is_last = within + 1 == layout.counts[sequence]
    before = tags.roll(1)  # of a first place, something that is not asked for
    return (
        emissions.gather(1, tags[:, None]).squeeze(1)
        + torch.where(within == 0, start[tags], transitions[before, tags])
        + torch.where(is_last, end[tags], 0.0)
    )


def _check_possible(ends: list[Tensor], steps: Steps) -> None:
    scores = torch.cat(ends[::-1]).amax(dim=-1)  # [sequences], longest first
    if (scores == -torch.inf).any():
        number = int(steps.sequences[scores.argmin()])
        raise ConfigError(
            f"sequence {number}, of {steps.layout.lengths[number]} places, has no path of labels",
            allowed="one path at least whose scores are all larger than -inf",
        )


def _check_rows(rows: Tensor, layout: Layout) -> None:
    if len(rows) != layout.tokens:
        raise ValueError(f"{len(rows)} rows for a layout of {layout.tokens} places")


def _in_full(x: Tensor) -> Tensor:
    """x in single precision, or in double where it is so already."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
