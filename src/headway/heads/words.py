"""Losses over a vocabulary, whose logits are never there all at once.

Of 65,536 tokens and 50,257 words the logits are 13 GB, and their probabilities and gradients as
much again. So rows are read in pieces, and what a piece asks of states and weights is added up
before the next one is made: the gradient of a sum is known but for one factor, which the backward
pass brings. Nothing is computed twice.

Source: Hsu et al. 2024, "Liger Kernel", arXiv 2410.10989, section 3.2 (fused linear cross-entropy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["See", "piece_rows", "summed_word_loss", "word_losses"]

LOGITS, LOGITS_ELSEWHERE = {"cpu": 2**23}, 2**24
"""Made at once; on a processor 32 MB, since more would be fresh memory each time."""

LEAST_ROWS = 128
"""Of a piece, whatever the vocabulary: products of fewer rows are slow."""

See = Callable[[slice, Tensor], None]
"""Is shown which rows a piece is, and their logits, float32 [rows, words], not to be changed."""


def piece_rows(vocabulary: int, device: str) -> int:
    """How many tokens are told at once on such a device.

    >>> piece_rows(12_000, "cpu"), piece_rows(12_000, "cuda"), piece_rows(120_000, "cpu")
    (699, 1398, 128)
    """
    return max(LEAST_ROWS, LOGITS.get(device, LOGITS_ELSEWHERE) // vocabulary)


def word_losses(output: nn.Linear, states: Tensor, words: Tensor) -> Tensor:
    """-log p of each word, in nats; without gradients.

    Args:
        output: hidden -> vocabulary.
        states: where the words are told, [tokens, hidden].
        words: int64 [tokens].

    Returns:
        float32 [tokens].

    >>> word_losses(nn.Linear(2, 4, bias=False), torch.zeros(3, 2), torch.tensor([0, 3, 1]))
    tensor([1.3863, 1.3863, 1.3863])
    """
    found = torch.empty(len(states), device=states.device)
    with torch.no_grad():
        for piece in _pieces(states, output.out_features):
            found[piece] = F.cross_entropy(
                output(states[piece]).float(), words[piece], reduction="none"
            )
    return found


def summed_word_loss(
    output: nn.Linear, states: Tensor, words: Tensor, see: See | None = None
) -> Tensor:
    """The sum of -log p of each word, in nats, with gradients of states, weight and bias.

    The backward pass can be run once.

    Args:
        output: hidden -> vocabulary.
        states: where the words are told, [tokens, hidden].
        words: int64 [tokens].
        see: is shown each piece's logits, or None.

    Returns:
        float32, one number.

    >>> summed_word_loss(nn.Linear(2, 4, bias=False), torch.zeros(3, 2), torch.tensor([0, 3, 1]))
    tensor(4.1589, grad_fn=<_SummedBackward>)
    """
    if torch.is_grad_enabled():
        return _summed(states, output.weight, output.bias, words, see)
    if see is not None:
        for piece in _pieces(states, output.out_features):
            see(piece, output(states[piece]).float())
    return word_losses(output, states, words).sum()


class _Summed(torch.autograd.Function):
    """The loss, with gradients that are made while the logits are there."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        words: Tensor,
        see: See | None,
    ) -> Tensor:
        device = states.device
        dtype = _product_dtype(states)
        inputs, table = states.to(dtype), weight.to(dtype)
        of_states, of_weight, of_bias = (
            torch.zeros_like(part) if part is not None and wanted else None
            for part, wanted in zip((states, weight, bias), ctx.needs_input_grad, strict=False)
        )
        total = torch.zeros((), device=device)
        most = min(len(states), piece_rows(len(weight), device.type))
        buffer = torch.empty(most, len(weight), device=device)  # kept: fresh pages cost as much
        for piece in _pieces(states, len(weight)):
            rows, right = inputs[piece], words[piece].unsqueeze(-1)  # [rows, hidden], [rows, 1]
            logits = F.linear(rows, table, None if bias is None else bias.to(dtype)).float()
            if see is not None:
                see(piece, logits)
            asked = torch.log_softmax(logits, dim=-1, out=buffer[: len(rows)])
            del logits  # before the next piece's are made
            total -= asked.gather(1, right).sum()
            asked.exp_()
            asked.scatter_add_(1, right, asked.new_full(right.shape, -1.0))  # p, less 1 if right
            product = asked.to(dtype)
            if of_states is not None:
                of_states[piece] = product @ table
            if of_weight is not None:
                _add_product(of_weight, product.T, rows)
            if of_bias is not None:
                of_bias += asked.sum(dim=0)
        ctx.save_for_backward(of_states, of_weight, of_bias)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, factor: Tensor) -> tuple[Tensor | None, ...]:
        return (
            *(None if part is None else part.mul_(factor) for part in ctx.saved_tensors),
            None,
            None,
        )


_summed: Callable[..., Tensor] = _Summed.apply


def _pieces(states: Tensor, vocabulary: int) -> Iterator[slice]:
    rows = piece_rows(vocabulary, states.device.type)
    return (slice(start, start + rows) for start in range(0, len(states), rows))


def _product_dtype(states: Tensor) -> torch.dtype:
    """What products are made in, of states of this type."""
    kind = states.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else states.dtype


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """total += left @ right, without a table beside it where the types are the same."""
    if total.dtype == right.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right
