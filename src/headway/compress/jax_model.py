"""A model's forward pass in JAX: the operations of a traced program, one after the other.

This file stands alone, needs jax, numpy and safetensors, and lies beside each exported model:

    from jax_model import load
    params, programs = load()
    forward = jax.jit(programs["model"])
    outputs = forward(params, input_ids=ids, attention_mask=mask)  # name -> array

`programs` has one program a part: `model`, or `encoder_model` and `decoder_model`. `params` is a
dict of arrays and an argument like any other, so that jax.grad, jax.vmap and sharding work on it.
A program is data: jax_model.json lists operations by names in OPS, and nothing of it is run as
code. Shapes are free; each new one is compiled anew under jax.jit. Dropout is off.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

__all__ = ["OPS", "Program", "load"]

Params = Mapping[str, Any]


def load(folder: str | Path | None = None) -> tuple[dict[str, Any], dict[str, Program]]:
    """The parameters and the programs of an exported folder; without one, of this file's own."""
    from safetensors.numpy import load_file

    place = Path(__file__).parent if folder is None else Path(folder)
    graphs = json.loads((place / "jax_model.json").read_text(encoding="utf-8"))
    arrays = load_file(place / "jax_model.safetensors")
    params = {name: jnp.asarray(array) for name, array in arrays.items()}
    return params, {part: Program(graph) for part, graph in graphs.items()}


class Program:
    """A function of parameters and named inputs.

    Args:
        graph: `inputs` and `parameters`, each a map of value names to what is put there; `nodes`,
            the operations in order; `outputs`, name -> value.
    """

    def __init__(self, graph: Mapping[str, Any]) -> None:
        self.graph = graph
        self.inputs = tuple(graph["inputs"].values())
        self.outputs = tuple(graph["outputs"])

    def __call__(self, params: Params, **inputs: Any) -> dict[str, Any]:
        """Runs the operations; int arrays [batch, length] in, arrays out, by their names."""
        if set(inputs) != set(self.inputs):
            raise TypeError(f"inputs {sorted(inputs)}; wanted: {', '.join(self.inputs)}")
        values = {value: jnp.asarray(inputs[name]) for value, name in self.graph["inputs"].items()}
        values |= {value: params[name] for value, name in self.graph["parameters"].items()}
        for name, op, args, options in self.graph["nodes"]:
            taken = {key: _value(option, values) for key, option in options.items()}
            values[name] = OPS[op](*(_value(arg, values) for arg in args), **taken)
        return {name: values[value] for name, value in self.graph["outputs"].items()}


def _value(said: Any, values: Mapping[str, Any]) -> Any:
    """What an argument in the file stands for."""
    if isinstance(said, list):
        return [_value(each, values) for each in said]
    if not isinstance(said, dict):
        return said
    ((kind, what),) = said.items()
    if kind == "dtype":
        return jax.dtypes.canonicalize_dtype(what)  # int64 is int32 unless jax has 64 bits on
    return values[what] if kind == "value" else float(what)


def _shape(x: Any, sizes: Sequence[int], start: int = 0, count: int | None = None) -> Any:
    """`x` with `sizes` in the place of `count` of its axes; -1 is what is left."""
    count = x.ndim if count is None else count
    return x.reshape(*x.shape[:start], *sizes, *x.shape[start + count :])


def _flatten(x: Any, start: int = 0, end: int = -1) -> Any:
    start, end = start % max(x.ndim, 1), end % max(x.ndim, 1)
    return _shape(x, [math.prod(x.shape[start : end + 1])], start, end - start + 1)


def _unflatten(x: Any, axis: int, sizes: Sequence[int]) -> Any:
    return _shape(x, sizes, axis % x.ndim, 1)


def _expand(x: Any, sizes: Sequence[int], **_: Any) -> Any:
    kept = [1] * (len(sizes) - x.ndim) + list(x.shape)
    wanted = [own if size == -1 else size for own, size in zip(kept, sizes, strict=True)]
    return jnp.broadcast_to(x, wanted)


def _slice(x: Any, axis: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return x[(slice(None),) * (axis % x.ndim) + (slice(start, end, step),)]


def _split(x: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return [_slice(x, axis, end - size, end) for size, end in zip(sizes, ends, strict=True)]


def _chunk(x: Any, count: int, axis: int = 0) -> list[Any]:
    size = -(-x.shape[axis] // count)
    return [_slice(x, axis, start, start + size) for start in range(0, x.shape[axis], size)]


def _index(x: Any, places: Sequence[Any]) -> Any:
    return x[tuple(slice(None) if place is None else place for place in places)]


def _linear(x: Any, weight: Any, bias: Any = None) -> Any:
    made = x @ weight.T
    return made if bias is None else made + bias


def _layer_norm(
    x: Any, shape: Sequence[int], weight: Any, bias: Any, epsilon: float, *_: Any
) -> Any:
    axes = tuple(range(-len(shape), 0))
    centred = x - x.mean(axes, keepdims=True)
    normed = centred * jax.lax.rsqrt(jnp.square(centred).mean(axes, keepdims=True) + epsilon)
    normed = normed if weight is None else normed * weight
    return normed if bias is None else normed + bias


def _rms_norm(x: Any, shape: Sequence[int], weight: Any = None, epsilon: Any = None) -> Any:
    axes = tuple(range(-len(shape), 0))
    epsilon = np.finfo(x.dtype).eps if epsilon is None else epsilon
    normed = x * jax.lax.rsqrt(jnp.square(x).mean(axes, keepdims=True) + epsilon)
    return normed if weight is None else normed * weight


def _norm(x: Any, order: float = 2, axes: Any = None, keepdim: bool = False, **_: Any) -> Any:
    if order != 2:
        raise NotImplementedError(f"a norm of order {order}")
    return jnp.sqrt(jnp.square(x).sum(None if axes is None else tuple(axes), keepdims=keepdim))


def _sum(x: Any, axes: Any = None, keepdim: bool = False, **_: Any) -> Any:
    return x.sum(tuple(axes) if axes else None, keepdims=keepdim)


def _mean(x: Any, axes: Any = None, keepdim: bool = False, **_: Any) -> Any:
    return x.mean(tuple(axes) if axes else None, keepdims=keepdim)


def _amax(x: Any, axes: Any = (), keepdim: bool = False) -> Any:
    return x.max(tuple(axes) if axes else None, keepdims=keepdim)


def _cast(x: Any, dtype: Any = None, *_: Any, **more: Any) -> Any:
    wanted = more.get("dtype", dtype)
    return x if wanted is None else x.astype(wanted)


def _arange(*bounds: Any, dtype: Any = None, **_: Any) -> Any:
    return _cast(jnp.arange(*bounds), dtype)


def _full(sizes: Sequence[int], value: Any, *, dtype: Any = None, **_: Any) -> Any:
    return jnp.full(sizes, value, dtype if dtype is not None or value is not True else bool)


def _filled(value: Any, x: Any, *, dtype: Any = None, **_: Any) -> Any:
    return jnp.full_like(x, value, dtype=dtype)


def _new(value: Any, x: Any, sizes: Sequence[int], *, dtype: Any = None, **_: Any) -> Any:
    return jnp.full(sizes, value, dtype or x.dtype)


def _constant(value: Any, sizes: Sequence[int], *, dtype: Any = None, **_: Any) -> Any:
    return jnp.full(sizes, value, dtype or jnp.float32)


def _same(x: Any, *_: Any, **__: Any) -> Any:
    return x


def _add(a: Any, b: Any, alpha: Any = 1) -> Any:
    return a + (b if alpha == 1 else b * alpha)


def _softmax(x: Any, axis: int, *_: Any) -> Any:
    return jax.nn.softmax(x, axis=axis)


def _gelu(x: Any, approximate: str = "none") -> Any:
    return jax.nn.gelu(x, approximate=approximate == "tanh")


def _scatter(x: Any, axis: int, index: Any, source: Any) -> Any:
    return jnp.put_along_axis(x, index, source, axis=axis, inplace=False)


def _clamp(x: Any, low: Any = None, high: Any = None) -> Any:
    return jnp.clip(x, low, high)


OPS: dict[str, Any] = {
    # numbers of shapes
    "add": operator.add,
    "floordiv": operator.floordiv,
    "mul": operator.mul,
    "neg": operator.neg,
    "sub": operator.sub,
    "aten.sym_size.int": lambda x, axis: x.shape[axis],
    # elements
    "aten.__and__.Tensor": jnp.bitwise_and,
    "aten.__or__.Tensor": jnp.bitwise_or,
    "aten.abs.default": jnp.abs,
    "aten.add.Tensor": _add,
    "aten.bitwise_and.Tensor": jnp.bitwise_and,
    "aten.bitwise_not.default": jnp.invert,
    "aten.bitwise_or.Tensor": jnp.bitwise_or,
    "aten.ceil.default": jnp.ceil,
    "aten.clamp.default": _clamp,
    "aten.clamp_max.default": jnp.minimum,
    "aten.clamp_min.default": jnp.maximum,
    "aten.cos.default": jnp.cos,
    "aten.div.Tensor": jnp.true_divide,
    "aten.eq.Scalar": jnp.equal,
    "aten.eq.Tensor": jnp.equal,
    "aten.exp.default": jnp.exp,
    "aten.floor_divide.default": jnp.floor_divide,
    "aten.ge.Scalar": jnp.greater_equal,
    "aten.ge.Tensor": jnp.greater_equal,
    "aten.gelu.default": _gelu,
    "aten.gt.Scalar": jnp.greater,
    "aten.gt.Tensor": jnp.greater,
    "aten.le.Scalar": jnp.less_equal,
    "aten.le.Tensor": jnp.less_equal,
    "aten.log.default": jnp.log,
    "aten.logical_and.default": jnp.logical_and,
    "aten.logical_not.default": jnp.logical_not,
    "aten.logical_or.default": jnp.logical_or,
    "aten.lt.Scalar": jnp.less,
    "aten.lt.Tensor": jnp.less,
    "aten.masked_fill.Scalar": lambda x, mask, value: jnp.where(mask, value, x),
    "aten.maximum.default": jnp.maximum,
    "aten.minimum.default": jnp.minimum,
    "aten.mul.Tensor": jnp.multiply,
    "aten.ne.Scalar": jnp.not_equal,
    "aten.ne.Tensor": jnp.not_equal,
    "aten.neg.default": jnp.negative,
    "aten.pow.Tensor_Scalar": jnp.power,
    "aten.relu.default": jax.nn.relu,
    "aten.rsqrt.default": jax.lax.rsqrt,
    "aten.rsub.Scalar": lambda x, value: value - x,
    "aten.sigmoid.default": jax.nn.sigmoid,
    "aten.sign.default": jnp.sign,
    "aten.silu.default": jax.nn.silu,
    "aten.sin.default": jnp.sin,
    "aten.sqrt.default": jnp.sqrt,
    "aten.square.default": jnp.square,
    "aten.sub.Tensor": lambda a, b, alpha=1: a - (b if alpha == 1 else b * alpha),
    "aten.tanh.default": jnp.tanh,
    "aten.to.dtype": _cast,
    "aten.to.dtype_layout": _cast,
    "aten.where.self": jnp.where,
    # sums, norms and products
    "aten.amax.default": _amax,
    "aten.cumsum.default": lambda x, axis: jnp.cumsum(x, axis),
    "aten.layer_norm.default": _layer_norm,
    "aten.linalg_vector_norm.default": _norm,
    "aten.linear.default": _linear,
    "aten.matmul.default": jnp.matmul,
    "aten.mean.dim": _mean,
    "aten.rms_norm.default": _rms_norm,
    "aten.softmax.int": _softmax,
    "aten.sum.default": _sum,
    "aten.sum.dim_IntList": _sum,
    # shapes
    "aten.cat.default": lambda parts, axis=0: jnp.concatenate(parts, axis),
    "aten.chunk.default": _chunk,
    "aten.expand.default": _expand,
    "aten.expand_as.default": lambda x, like: jnp.broadcast_to(x, like.shape),
    "aten.flatten.using_ints": _flatten,
    "aten.movedim.int": jnp.moveaxis,
    "aten.permute.default": jnp.transpose,
    "aten.reshape.default": _shape,
    "aten.split_with_sizes.default": _split,
    "aten.squeeze.dim": lambda x, axis: x.squeeze(axis) if x.shape[axis] == 1 else x,
    "aten.stack.default": lambda parts, axis=0: jnp.stack(parts, axis),
    "aten.transpose.int": jnp.swapaxes,
    "aten.unflatten.int": _unflatten,
    "aten.unsqueeze.default": jnp.expand_dims,
    "aten.view.default": _shape,
    # places
    "aten.embedding.default": lambda table, ids, *_: table[ids],
    "aten.gather.default": lambda x, axis, index: jnp.take_along_axis(x, index, axis),
    "aten.index.Tensor": _index,
    "aten.index_select.default": lambda x, axis, index: jnp.take(x, index, axis),
    "aten.scatter.src": _scatter,
    "aten.select.int": lambda x, axis, place: jnp.take(x, place, axis),
    "aten.slice.Tensor": _slice,
    "getitem": operator.getitem,
    # new ones
    "aten.arange.default": _arange,
    "aten.arange.start": _arange,
    "aten.full.default": _full,
    "aten.full_like.default": lambda x, value, **more: _filled(value, x, **more),
    "aten.new_ones.default": partial(_new, 1),
    "aten.new_zeros.default": partial(_new, 0),
    "aten.ones.default": partial(_constant, 1),
    "aten.ones_like.default": partial(_filled, 1),
    "aten.zeros.default": partial(_constant, 0),
    "aten.zeros_like.default": partial(_filled, 0),
    # the same
    "aten.alias.default": _same,
    "aten.clone.default": _same,
    "aten.contiguous.default": _same,
    "aten.detach.default": _same,
    "aten.detach_.default": _same,
    "aten.lift_fresh_copy.default": _same,
}
"""Operation of a traced program -> the same in JAX."""
