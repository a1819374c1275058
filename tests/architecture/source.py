"""The package's source as data: its files, their module names and their syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
PACKAGE = SRC / "headway"


@dataclass(frozen=True)
class Source:
    """One file of the package."""

    path: Path

    @property
    def module(self) -> str:
        """`headway.core.masks`; a package's `__init__.py` is the package."""
        parts = self.path.relative_to(SRC).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=str(self.path))

    def at(self, node: ast.AST) -> str:
        """`src/headway/model.py:12`, for messages."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    def imports(self, *, for_types: bool = True) -> Iterator[tuple[ast.AST, str]]:
        """Every imported module, also inside functions and by `import_module("...")`.

        `from a import b` gives `a.b`, which may be a module or a name. Without `for_types`, what
        stands below `if TYPE_CHECKING:` is left out.
        """
        skipped = set() if for_types else set(self._for_types())
        for node in ast.walk(self.tree):
            if node in skipped:
                continue
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{self.at(node)}: imports are written out from `headway.`"
                yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and called(node).endswith(
                ("import_module", "__import__")
            ):
                yield from ((node, arg.value) for arg in node.args if is_text(arg))

    def _for_types(self) -> Iterator[ast.AST]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                yield from (inner for statement in node.body for inner in ast.walk(statement))


def called(call: ast.Call) -> str:
    """What a call calls, as written: `torch.load`; an empty string for a computed callee."""
    names: list[str] = []
    callee = call.func
    while isinstance(callee, ast.Attribute):
        names.append(callee.attr)
        callee = callee.value
    return ".".join(reversed([*names, callee.id])) if isinstance(callee, ast.Name) else ""


def calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def is_text(node: ast.AST | None) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


SOURCES = [Source(path) for path in sorted(SRC.rglob("*.py"))]
