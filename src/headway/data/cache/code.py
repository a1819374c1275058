"""What the result of a function depends on besides its arguments.

A function reaches other functions, classes and values: by global names, closures, default values,
attributes of modules. All of them are part of its identity, so that a helper which changes in
another file changes the key of a cached step. What belongs to Python or to an installed package
counts by its version.

Code is taken as it runs, without comments, documentation strings and line numbers: to write a
comment recomputes nothing.
"""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib.util
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from headway.data.cache.values import Values, plain

__all__ = ["own_version", "reached"]


def reached(*functions: Callable[..., Any], **arguments: Any) -> dict[str, str]:
    """Everything that functions and arguments reach: what it is -> a hash, version or short value.

    Raises:
        DataError: a value that nothing can be told about (an open file, a generator); the message
            says by which way it is reached.

    >>> def shorter(row, most=3):
    ...     return {"text": row["text"][:most]}
    >>> [part.partition(" of ")[0] for part in reached(shorter)]
    ['code', 'most', 'Python', 'Headway']
    >>> reached(column="text")["column"]
    "'text'"
    """
    walk = _Walk()
    for function in functions:
        walk.callable(function, _name(function))
    for name, value in arguments.items():
        walk.value(name, value, "the arguments")
    python = ".".join(map(str, sys.version_info[:3]))
    parts = dict(sorted(walk.parts.items()))
    return {**parts, "Python": python, "Headway": own_version()}


def own_version() -> str:
    """Headway's version; its package is loaded before this one, and to look it up takes longer."""
    return str(sys.modules["headway"].__version__)


class _Walk:
    """The parts met so far."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}
        self._seen: set[int] = set()
        self._kept: list[object] = []  # so that no number in `_seen` is given twice
        self._values = Values(self.callable)

    def callable(self, value: Any, way: str) -> str:
        """Adds a function, method, class or callable object; gives a name for it."""
        name = _name(value)
        if id(value) in self._seen:
            return name
        self._seen.add(id(value))
        self._kept.append(value)
        if isinstance(value, functools.partial):
            self.callable(value.func, way)
            self.value(f"{way}: arguments", (value.args, value.keywords), way)
        elif isinstance(value, types.MethodType):
            self.callable(value.__func__, way)
            self.value(f"{way}: self", value.__self__, way)
        elif package := _package(getattr(value, "__module__", None)):
            self._package(package)
        elif isinstance(value, types.FunctionType):
            self._function(value, name)
        elif isinstance(value, type):
            self._class(value, name)
        elif hasattr(value, "__wrapped__") and callable(value.__wrapped__):
            self.callable(value.__wrapped__, way)
        else:  # a built-in function has no module, or one of Python's
            self._package("Python")
        return name

    def _function(self, function: types.FunctionType, name: str) -> None:
        code = function.__code__
        self.parts[f"code of {name}"] = _code_hash(code, function.__doc__)
        for argument, default in _defaults(function).items():
            self.value(f"{argument} of {name}", default, name)
        for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # not bound yet
                continue
            self.value(f"{variable} of {name}", content, name)
        for chain in _global_chains(code):
            self._global(chain, function.__globals__, name)
        for module in _imports(code):
            self._module(module)
        if hasattr(function, "__wrapped__"):
            self.callable(function.__wrapped__, name)

    def _class(self, kind: type, name: str) -> None:
        self.parts[f"class {name}"] = ", ".join(_name(base) for base in kind.__bases__)
        for base in kind.__bases__:
            self.callable(base, name)
        for attribute, value in sorted(vars(kind).items()):
            if attribute in _NOT_OURS:
                continue
            for inner in _unwrapped(value):
                self.value(f"{name}.{attribute}", inner, name)

    def _global(self, chain: list[str], names: dict[str, Any], way: str) -> None:
        """A global name with the attributes that follow it, as far as modules go."""
        first, *rest = chain
        if first not in names:
            return  # of Python's own, or an error when it runs
        value, name = names[first], f"{names.get('__name__')}.{first}"
        while isinstance(value, types.ModuleType):
            package = _package(value.__name__)
            if package:
                self._package(package)
                return
            if not rest or not hasattr(value, rest[0]):
                self._module(value.__name__)  # who knows what of it is used
                return
            name = f"{value.__name__}.{rest[0]}"
            value, rest = getattr(value, rest[0]), rest[1:]
        self.value(name, value, way)

    def _module(self, name: str) -> None:
        """A module as a whole, by its file."""
        package = _package(name)
        if package:
            self._package(package)
            return
        path = _file_of(name)
        if path is not None:
            self.parts[f"module {name}"] = hashlib.sha256(path.read_bytes()).hexdigest()

    def value(self, name: str, value: Any, way: str) -> None:
        """Adds a value by its name."""
        if callable(value) and not hasattr(value, "fingerprint") and _is_code(value):
            self.callable(value, name)
        else:
            hashed = self._values.hash(value, f"{name} (reached from {way})")
            self.parts[name] = plain(value) or hashed

    def _package(self, name: str) -> None:
        if name != "Python":
            self.parts[f"package {name}"] = _version(name)


_NOT_OURS = {
    *("__module__", "__qualname__", "__doc__", "__dict__"),
    *("__weakref__", "__firstlineno__", "__annotations__", "__static_attributes__"),
    *("__slots__", "__match_args__", "__dataclass_params__", "__dataclass_fields__"),
    *("__abstractmethods__", "_abc_impl", "__orig_bases__", "__parameters__"),
    *("__annotate_func__",),
}


def _defaults(function: types.FunctionType) -> dict[str, Any]:
    """The values that arguments have where nobody gives one."""
    code, given = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[code.co_argcount - len(given) : code.co_argcount]
    return {**dict(zip(names, given, strict=True)), **(function.__kwdefaults__ or {})}


def _is_code(value: Any) -> bool:
    kinds = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial)
    return isinstance(value, (*kinds, type)) or hasattr(value, "__wrapped__")


def _unwrapped(value: Any) -> Iterator[Any]:
    """The functions inside of properties, class methods and the like."""
    if isinstance(value, property):
        yield from (f for f in (value.fget, value.fset, value.fdel) if f is not None)
    elif isinstance(value, staticmethod | classmethod):
        yield value.__func__
    elif isinstance(value, functools.cached_property):
        yield value.func
    elif not isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType):
        yield value


def _name(value: Any) -> str:
    if isinstance(value, functools.partial):
        return _name(value.func)
    name = getattr(value, "__qualname__", type(value).__qualname__)
    return f"{getattr(value, '__module__', None) or 'builtins'}.{name}"


def _code_hash(code: types.CodeType, documentation: str | None) -> str:
    digest = hashlib.sha256()
    _add_code(digest, code, documentation)
    return digest.hexdigest()


def _add_code(digest: Any, code: types.CodeType, documentation: str | None) -> None:
    shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    digest.update(repr((shape, code.co_names, code.co_varnames, code.co_freevars)).encode())
    digest.update(code.co_code + code.co_exceptiontable)
    for i, constant in enumerate(code.co_consts):
        if isinstance(constant, types.CodeType):
            inner = constant.co_consts[0] if constant.co_consts else None
            _add_code(digest, constant, inner if isinstance(inner, str) else None)
        elif not (i == 0 and documentation is not None and constant == documentation):
            digest.update(_constant(constant).encode())


def _constant(value: Any) -> str:
    if isinstance(value, frozenset):  # whose order differs from run to run
        return f"frozenset({sorted(map(_constant, value))})"
    if isinstance(value, tuple):
        return f"({', '.join(map(_constant, value))})"
    return f"{type(value).__name__}:{value!r}"


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """A function's code, and that of the functions inside of it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _global_chains(code: types.CodeType) -> Iterator[list[str]]:
    """Each global name that is read, with the attributes that are read of it at once."""
    for one in _codes(code):
        chain: list[str] | None = None
        for step in dis.get_instructions(one):
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD") and chain is not None:
                chain.append(str(step.argval))
                continue
            if chain is not None and step.opname not in ("CACHE", "PRECALL"):
                yield chain
                chain = None
            if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
                chain = [str(step.argval)]
        if chain is not None:
            yield chain


def _imports(code: types.CodeType) -> Iterator[str]:
    """The modules that are imported when the code runs."""
    for one in _codes(code):
        for step in dis.get_instructions(one):
            if step.opname == "IMPORT_NAME":
                yield str(step.argval)


@functools.cache
def _package(module: str | None) -> str | None:
    """The installed package that a module belongs to, "Python" for its own, None for the user's."""
    if module is None:
        return "Python"
    top = module.partition(".")[0]
    if top == "__main__":
        return None
    if top in sys.builtin_module_names or top in sys.stdlib_module_names:
        return "Python"
    path = _file_of(module)
    installed = [Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")]
    if path is not None and any(path.resolve().is_relative_to(folder) for folder in installed):
        from importlib.metadata import packages_distributions  # 20 ms, for cached steps only

        return packages_distributions().get(top, [top])[0]
    return None


def _file_of(module: str) -> Path | None:
    found = sys.modules.get(module)
    origin = getattr(found, "__file__", None)
    if found is None:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
        origin = spec.origin if spec else None
    return Path(origin) if origin and Path(origin).is_file() else None


@functools.cache
def _version(package: str) -> str:
    from importlib.metadata import version

    try:
        return version(package)
    except ImportError:
        return "unknown"
