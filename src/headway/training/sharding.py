"""A learner that is divided among the processes: each holds a share of every weight.

So of a weight's gradient, of what the optimiser keeps of it and of an average each process holds
that share alone. For a pass the weights of one block at a time are whole, and their gradients are
summed where they are divided again. It is torch's FSDP2 (`fully_shard`), put on for the time of
training.

    torchrun --nproc-per-node 4 -m headway pretrain bert corpus.txt --sharding full --out DIR

Source: Zhao et al. 2023, "PyTorch FSDP", arXiv 2304.11277.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._C._distributed_c10d import HashStore

from headway.core.stacks import Decoder, Encoder
from headway.errors import ConfigError
from headway.training.processes import DIVIDED, crew
from headway.training.states import Parts, States, Whole

__all__ = ["Shared", "Single", "sharded", "whole"]

Place = tuple[nn.Module, str, nn.Parameter]
"""(module, the parameter's name there, the parameter)."""


def whole(tensor: Tensor) -> Tensor:
    """A tensor, or all of one that is divided; all processes ask for it together.

    >>> whole(torch.ones(2))
    tensor([1., 1.])
    """
    found: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return found


@dataclass(frozen=True)
class Single:
    """A learner that each process holds as a whole.

    Attributes:
        states: how its tensors are kept on disk.
    """

    states: States = field(default_factory=Whole)

    def whole(self) -> AbstractContextManager[None]:
        """It is whole at any time."""
        return nullcontext()

    def rest(self) -> None:
        """Its parameters never leave their places."""


@contextmanager
def sharded(learner: nn.Module, sharding: str) -> Iterator[Single | Shared]:
    """While open, a learner is divided among the processes, if that is asked for.

    What its modules are is theirs again behind it, with whole weights in every process. That holds
    behind a ConfigError too, which all processes raise; behind any other error, which may be that
    of one process, what the others held is lost, and weights are not numbers.

    Args:
        learner: with whole weights, the same in every process.
        sharding: none or full.

    Example:
        with sharded(learner, "full") as held:
            optimiser = ...  # over its parameters as they are now
            with held.whole():
                ...  # read anything with it
    """
    if sharding == "none":
        yield Single()
        return
    with _meeting():
        shared = Shared(learner)
        try:
            yield shared
        except ConfigError:
            shared.end()
            raise
        except BaseException:
            shared.abandon()
            raise
        shared.end()


@contextmanager
def _meeting() -> Iterator[None]:
    """A group of processes; one that is alone is a group of one."""
    if dist.is_initialized():
        yield
        return
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    try:
        yield
    finally:
        dist.destroy_process_group()


class Shared:
    """A learner of which each process holds a share.

    Args:
        learner: is divided in place.
    Attributes:
        states: how its tensors are kept on disk.
    """

    def __init__(self, learner: nn.Module) -> None:
        self.learner = learner
        self.before = {part: _Surface.of(part) for part in learner.modules()}
        device = next(learner.parameters()).device.type
        mesh = dist.device_mesh.init_device_mesh(device, (crew().size,))
        _divide(learner, mesh)
        self.added = {part: vars(part).keys() - old.names for part, old in self.before.items()}
        self.states: States = Parts(mesh)
        setattr(learner, DIVIDED, True)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """While open, every process has whole weights, and the modules do nothing but their own:
        for all that reads with them. What is written to them meanwhile is lost."""
        shares, divided = _places(self.learner), {part: _Surface.of(part) for part in self.before}
        self._gather(shares)
        try:
            yield
        finally:
            for module, name, share in shares:
                setattr(module, name, share)
            for part, surface in divided.items():
                surface.put_hooks(part)

    def rest(self) -> None:
        """Puts shares in their places; an error in the middle of a pass leaves whole weights."""
        from torch.distributed.fsdp import FSDPModule

        for part in self.learner.modules():
            if isinstance(part, FSDPModule):
                part.reshard()

    def end(self) -> None:
        """The learner is what it was, with the weights that it has now."""
        self._gather(_places(self.learner))
        self._leave()

    def abandon(self) -> None:
        """The same without the other processes, and so without their numbers."""
        for module, name, share in _places(self.learner):
            lost = torch.full(share.shape, torch.nan, dtype=share.dtype, device=share.device)
            setattr(module, name, nn.Parameter(lost, requires_grad=share.requires_grad))
        self._leave()

    def _gather(self, shares: list[Place]) -> None:
        """Puts whole weights in the place of shares; one that is in two places is one in both."""
        made: dict[nn.Parameter, nn.Parameter] = {}
        for part, surface in self.before.items():
            surface.put_hooks(part)
        with torch.no_grad():
            for module, name, share in shares:
                if share not in made:
                    made[share] = nn.Parameter(whole(share), requires_grad=share.requires_grad)
                setattr(module, name, made[share])

    def _leave(self) -> None:
        # Torch has no way to take FSDP off, and takes no module twice that it still knows.
        from torch.distributed._composable_state import _module_state_mapping

        setattr(self.learner, DIVIDED, False)
        for part, surface in self.before.items():
            surface.put_hooks(part)
            part.__class__ = surface.kind
            _module_state_mapping.pop(part, None)
            for name in self.added[part]:
                delattr(part, name)


@dataclass(frozen=True)
class _Surface:
    """What FSDP changes of a module: its class, its hooks, and attributes that it adds."""

    kind: type
    hooks: dict[str, dict[Any, Any]]
    names: frozenset[str]

    @classmethod
    def of(cls, module: nn.Module) -> _Surface:
        own = vars(module)
        hooks = {name: dict(own[name]) for name in own if name.startswith("_") and "hooks" in name
                 and isinstance(own[name], dict)}  # fmt: skip
        return cls(type(module), hooks, frozenset(own))

    def put_hooks(self, module: nn.Module) -> None:
        for name, kept in self.hooks.items():
            there = vars(module)[name]
            there.clear()
            there.update(kept)


def _places(learner: nn.Module) -> list[Place]:
    return [
        (module, name, parameter)
        for module in learner.modules()
        for name, parameter in module.named_parameters(recurse=False)
    ]


def _divide(learner: nn.Module, mesh: Any) -> None:
    """Divides each block by itself, and with the learner what no block has to itself."""
    from torch.distributed.fsdp import FSDPModule, fully_shard

    if not hasattr(FSDPModule, "set_reduce_scatter_unused_params"):
        raise ConfigError(
            f"sharding = 'full' with torch {torch.__version__}, whose FSDP2 waits for gradients "
            "that a part of a step has not",
            allowed="torch 2.13 or later",
        )
    # No policy of mixed precision: it would have norms in bf16 as well, which one process has not.
    for block, others in _blocks(learner):
        fully_shard(block, mesh=mesh, ignored_params=others)
    fully_shard(learner, mesh=mesh, reshard_after_forward=True)
    for part in learner.modules():
        if isinstance(part, FSDPModule):
            part.set_gradient_divide_factor(1.0)  # sums: each loss is divided by the step's counts
            part.set_force_sum_reduction_for_comms(True)  # gloo has no other way
            part.set_reduce_scatter_unused_params(True)  # which another part of the step may use


def _blocks(learner: nn.Module) -> list[tuple[nn.Module, set[nn.Parameter]]]:
    """Blocks whose parameters are in no other, and with each those that are outside of it too,
    such as vectors that all blocks share."""
    stacks = [part for part in learner.modules() if isinstance(part, (Encoder, Decoder))]
    blocks = list(dict.fromkeys(layer for stack in stacks for layer in stack.layers))
    outside = _beside(learner, set(blocks))
    owners: dict[nn.Parameter, set[nn.Module | None]] = {}
    for part in outside:
        for parameter in part.parameters(recurse=False):
            owners.setdefault(parameter, set()).add(None)
    own = {block: [part for part in block.modules() if part not in outside] for block in blocks}
    for block, parts in own.items():
        for part in parts:
            for parameter in part.parameters(recurse=False):
                owners.setdefault(parameter, set()).add(block)
    found = []
    for block, parts in own.items():
        ours = {parameter for part in parts for parameter in part.parameters(recurse=False)}
        if ours and all(owners[parameter] == {block} for parameter in ours):
            found.append((block, set(block.parameters()) - ours))
    return found


def _beside(module: nn.Module, blocks: set[nn.Module]) -> set[nn.Module]:
    """A module and all in it that is reached on a way without blocks."""
    found = {module}
    for part in module.children():
        if part not in blocks:
            found |= _beside(part, blocks)
    return found
