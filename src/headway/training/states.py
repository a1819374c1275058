"""How the tensors of a run's state lie on disk: whole, or each process's share of them apart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch import Tensor

from headway.checkpoints.folders import replaced_folder
from headway.checkpoints.tensors import write_tensors
from headway.errors import OutputError
from headway.training.processes import crew

__all__ = ["STATE", "Groups", "Parts", "States", "Whole", "hash_of"]

T = TypeVar("T")

STATE = "state.json"
"""The last file of a state, which says what the others are."""

Groups = Mapping[str, Mapping[str, Tensor]]
"""What they are of -> name -> tensor."""

SUFFIX = ".safetensors"


class States(Protocol):
    """One way."""

    @property
    def by_all(self) -> bool:
        """Whether all processes write, else the first one does alone."""

    def folder(self, place: Path) -> AbstractContextManager[Path]:
        """A new folder, which takes the place of the state when it is closed; or nothing does.

        Raises:
            OutputError: it cannot be written.
        """

    def write(self, groups: Groups, folder: Path) -> dict[str, str]:
        """Writes tensors; gives the hash of each file.

        Raises:
            OSError: they cannot be written.
        """

    def sound(self, files: Mapping[str, str], folder: Path) -> bool:
        """Whether each file is what its hash says."""

    def read(self, folder: Path) -> dict[str, dict[str, Tensor]]:
        """The inverse of `write`."""


class Whole:
    """Whole tensors, written by the first process, one file a group."""

    by_all = False

    def folder(self, place: Path) -> AbstractContextManager[Path]:
        """See `States`."""
        return _replaced(place)

    def write(self, groups: Groups, folder: Path) -> dict[str, str]:
        """See `States`; a group without tensors has no file."""
        for name, tensors in groups.items():
            if tensors:
                write_tensors(dict(tensors), folder / f"{name}{SUFFIX}")
        return {path.name: hash_of(path) for path in sorted(folder.iterdir())}

    def sound(self, files: Mapping[str, str], folder: Path) -> bool:
        """See `States`."""
        return all(hash_of(folder / name) == known for name, known in files.items())

    def read(self, folder: Path) -> dict[str, dict[str, Tensor]]:
        """See `States`."""
        return {path.name.removesuffix(SUFFIX): load_file(path)
                for path in folder.glob(f"*{SUFFIX}")}  # fmt: skip


class Parts:
    """Shares of tensors, one file a process (torch.distributed.checkpoint, in safetensors); another
    number of processes reads of each file what it needs. All see one folder.

    Args:
        mesh: the processes, among whom the first dimension of each tensor is divided; numbers are
            the same in all.
    """

    by_all = True

    def __init__(self, mesh: Any) -> None:
        self.mesh = mesh

    @contextmanager
    def folder(self, place: Path) -> Iterator[Path]:
        """See `States`; the first process makes it, and all write into it."""
        failed: list[OSError] = []

        def close() -> None:
            if failed:
                raise OutputError(f"{place} cannot be written: {failed[0]}")
            stack.close()

        with ExitStack() as stack:
            new = _told(lambda: str(stack.enter_context(_replaced(place))))
            try:
                yield Path(new)
            except OSError as error:
                failed.append(error)
            _told(close)

    def write(self, groups: Groups, folder: Path) -> dict[str, str]:
        """See `States`."""
        from torch.distributed.checkpoint.api import CheckpointException
        from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter
        from torch.distributed.checkpoint.state_dict_saver import save

        flat = {f"{group}/{name}": tensor for group, tensors in groups.items()
                for name, tensor in tensors.items()}  # fmt: skip
        try:
            save(flat, storage_writer=HuggingFaceStorageWriter(str(folder), save_distributed=True))
        except CheckpointException as error:  # in all, whoever failed
            said = "; ".join(str(failure[0]) for failure in error.failures.values())
            raise OSError(said) from error
        team = crew()
        own = {path.name: _hash_if_there(path)
               for _, path in team.share(sorted(folder.glob(f"*{SUFFIX}")))}  # fmt: skip
        every: list[dict[str, str]] = [{}] * team.size
        dist.all_gather_object(every, own)
        hashes = {name: known for each in every for name, known in each.items()}
        if lost := [name for name, known in hashes.items() if not known]:
            raise OSError(f"{', '.join(lost)} cannot be read")
        return hashes

    def sound(self, files: Mapping[str, str], folder: Path) -> bool:
        """See `States`; each process looks at some files."""
        team = crew()
        broken = [name for _, name in team.share(sorted(files))
                  if _hash_if_there(folder / name) != files[name]]  # fmt: skip
        return not team.sum(len(broken))

    def read(self, folder: Path) -> dict[str, dict[str, Tensor]]:
        """See `States`."""
        from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
        from torch.distributed.checkpoint.metadata import TensorStorageMetadata
        from torch.distributed.checkpoint.state_dict_loader import load
        from torch.distributed.tensor import Shard, zeros

        reader = HuggingFaceStorageReader(str(folder))
        flat: dict[str, Tensor] = {}
        for name, kept in reader.read_metadata().state_dict_metadata.items():
            assert isinstance(kept, TensorStorageMetadata), name
            kind = kept.properties.dtype
            if len(kept.size):
                flat[name] = zeros(*kept.size, dtype=kind, device_mesh=self.mesh,
                                   placements=[Shard(0)])  # fmt: skip
            else:
                flat[name] = torch.zeros((), dtype=kind)
        load(flat, storage_reader=reader)
        found: dict[str, dict[str, Tensor]] = {}
        for key, tensor in flat.items():
            group, _, name = key.partition("/")
            found.setdefault(group, {})[name] = tensor
        return found


def hash_of(path: Path) -> str:
    """Of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash_if_there(path: Path) -> str:
    """The same; nothing where it cannot be read."""
    try:
        return hash_of(path)
    except OSError:
        return ""


def _replaced(place: Path) -> AbstractContextManager[Path]:
    return replaced_folder(place, marker=STATE, ours=lambda old: True, replaced=lambda name: True)


def _told(act: Callable[[], T]) -> T:
    """What the first process finds, or that it could not, in all of them."""
    found: list[Any] = [None, None]
    if crew().main:
        try:
            found[0] = act()
        except OutputError as error:
            found[1] = error.problem
    dist.broadcast_object_list(found)
    if found[1] is not None:
        raise OutputError(found[1])
    return found[0]
