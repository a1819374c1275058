"""Each operation of JAX's programs gives what torch's gives."""

from __future__ import annotations

import operator
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from headway.compress.jax_model import OPS, Program, _value

X = torch.linspace(-2, 2, 24).reshape(2, 3, 4)
POSITIVE = X.abs() + 0.5
Y = torch.linspace(3, -1, 24).reshape(2, 3, 4)
IDS = torch.tensor([[2, 0, 1], [1, 1, 0]])
TRUE = X > 0.3
ROW = torch.linspace(-1, 1, 4)
MATRIX = torch.linspace(-1, 1, 20).reshape(5, 4)

CASES: dict[str, list[tuple[Any, ...]]] = {
    "add": [(2, 3)],
    "floordiv": [(7, 2)],
    "mul": [(2, 3)],
    "neg": [(2,)],
    "sub": [(2, 3)],
    "getitem": [((4, 5), 1)],
    "aten.sym_size.int": [(X, 1)],
    "aten.__and__.Tensor": [(TRUE, Y > 0), (IDS, IDS + 1)],
    "aten.__or__.Tensor": [(TRUE, Y > 0)],
    "aten.abs.default": [(X,)],
    "aten.add.Tensor": [(X, Y), (X, 2), (X, Y, {"alpha": 3})],
    "aten.bitwise_and.Tensor": [(TRUE, Y > 0)],
    "aten.bitwise_not.default": [(TRUE,)],
    "aten.bitwise_or.Tensor": [(TRUE, Y > 0)],
    "aten.ceil.default": [(X,)],
    "aten.clamp.default": [(X, -1, 1), (X, None, 1), (X, 0), (IDS, None, 1)],
    "aten.clamp_max.default": [(X, 0.5)],
    "aten.clamp_min.default": [(X, 0.5)],
    "aten.cos.default": [(X,)],
    "aten.div.Tensor": [(X, POSITIVE), (IDS, 2)],
    "aten.eq.Scalar": [(IDS, 1)],
    "aten.eq.Tensor": [(IDS, IDS.flip(0))],
    "aten.exp.default": [(X,)],
    "aten.floor_divide.default": [(IDS - 1, 2)],
    "aten.ge.Scalar": [(IDS, 1)],
    "aten.ge.Tensor": [(X, Y)],
    "aten.gelu.default": [(X,), (X, {"approximate": "tanh"})],
    "aten.gt.Scalar": [(IDS, 1)],
    "aten.gt.Tensor": [(X, Y)],
    "aten.le.Scalar": [(IDS, 1)],
    "aten.le.Tensor": [(X, Y)],
    "aten.log.default": [(POSITIVE,)],
    "aten.logical_and.default": [(TRUE, IDS[:, :, None])],
    "aten.logical_not.default": [(IDS,)],
    "aten.logical_or.default": [(TRUE, Y > 0)],
    "aten.lt.Scalar": [(IDS, 1)],
    "aten.lt.Tensor": [(X, Y)],
    "aten.masked_fill.Scalar": [(X, TRUE, float("-inf")), (X, TRUE, 0.0)],
    "aten.maximum.default": [(X, Y)],
    "aten.minimum.default": [(X, Y)],
    "aten.mul.Tensor": [(X, Y), (X, 0.5), (IDS, 3)],
    "aten.ne.Scalar": [(IDS, 0)],
    "aten.ne.Tensor": [(IDS, IDS.flip(0))],
    "aten.neg.default": [(X,)],
    "aten.pow.Tensor_Scalar": [(X, 2), (POSITIVE, 0.5)],
    "aten.relu.default": [(X,)],
    "aten.rsqrt.default": [(POSITIVE,)],
    "aten.rsub.Scalar": [(IDS, 1)],
    "aten.sigmoid.default": [(X,)],
    "aten.sign.default": [(X,), (IDS - 1,)],
    "aten.silu.default": [(X,)],
    "aten.sin.default": [(X,)],
    "aten.sqrt.default": [(POSITIVE,)],
    "aten.square.default": [(X,)],
    "aten.sub.Tensor": [(X, Y), (IDS, 1), (X, Y, {"alpha": 2})],
    "aten.tanh.default": [(X,)],
    "aten.to.dtype": [(X, torch.int32), (TRUE, torch.int64), (IDS, torch.float32)],
    "aten.to.dtype_layout": [(IDS, {"dtype": torch.float32})],
    "aten.where.self": [(TRUE, X, Y)],
    "aten.amax.default": [(X, [1]), (X, [-1, 0], True), (X,)],
    "aten.cumsum.default": [(IDS, 1), (X, -1)],
    "aten.layer_norm.default": [
        (X, [4], ROW, ROW.flip(0), 1e-5),
        (X, [4], None, None, 1e-3),
        (X, [3, 4], X[0], None, 1e-5),
    ],
    "aten.linalg_vector_norm.default": [(X, 2.0, [-1], True), (X, 2), (X, 2, [0, 1])],
    "aten.linear.default": [(X, MATRIX), (X, MATRIX, MATRIX[:, 0])],
    "aten.matmul.default": [(X, MATRIX.t()), (X, Y.transpose(1, 2))],
    "aten.mean.dim": [(X, [1]), (X, [-1], True), (X, None)],
    "aten.rms_norm.default": [(X, [4], ROW, 1e-6), (X, [4])],
    "aten.softmax.int": [(X, -1), (X, 1)],
    "aten.sum.default": [(X,), (TRUE,)],
    "aten.sum.dim_IntList": [(X, [1]), (IDS, [1], True), (TRUE, [0, -1])],
    "aten.cat.default": [([X, Y], -1), ([X, Y],)],
    "aten.chunk.default": [(X, 2, -1), (X, 2, 1)],
    "aten.expand.default": [(ROW, [2, 3, -1]), (X[:, :1], [2, 5, 4])],
    "aten.expand_as.default": [(ROW, X)],
    "aten.flatten.using_ints": [(X,), (X, 1), (X, 0, 1), (X, -2, -1)],
    "aten.movedim.int": [(X, -1, -3), (X, 0, 1)],
    "aten.permute.default": [(X, [2, 0, 1])],
    "aten.reshape.default": [(X, [4, -1])],
    "aten.split_with_sizes.default": [(X, [1, 3], -1), (X, [1, 1])],
    "aten.squeeze.dim": [(X[:, :1], 1), (X, 1)],
    "aten.stack.default": [([X, Y],), ([X, Y], 1)],
    "aten.transpose.int": [(X, 0, 1), (X, -1, -2)],
    "aten.unflatten.int": [(X, -1, [2, 2]), (X, 0, [-1, 1])],
    "aten.unsqueeze.default": [(X, 0), (X, -1)],
    "aten.view.default": [(X, [-1, 4])],
    "aten.embedding.default": [(MATRIX, IDS)],
    "aten.gather.default": [(X[:, :, 0], 1, IDS)],
    "aten.index.Tensor": [(X, [torch.tensor([1, 0, 1])]), (X, [None, torch.tensor([2, 0])])],
    "aten.index_select.default": [(X, 1, torch.tensor([2, 0, 0]))],
    "aten.scatter.src": [(torch.zeros(2, 3), 1, torch.tensor([[2, 0, 1], [1, 2, 0]]), X[:, :, 0])],
    "aten.select.int": [(X, 1, 2), (X, -1, -1)],
    "aten.slice.Tensor": [(X, 1, 1), (X, -1, 0, 3, 2), (X, 0, 0, 2**63 - 1), (X, 1, -2, -1), (X,)],
    "aten.arange.default": [(5,)],
    "aten.arange.start": [(2, 6), (2, 6, {"dtype": torch.float32})],
    "aten.full.default": [([2, 3], 1.5), ([2], True), ([2], 3, {"dtype": torch.int64})],
    "aten.full_like.default": [(X, 2), (IDS, 2.5, {"dtype": torch.float32})],
    "aten.new_ones.default": [(IDS, [2, 2])],
    "aten.new_zeros.default": [(X, [2, 2]), (X, [2], {"dtype": torch.bool})],
    "aten.ones.default": [([2, 3],), ([], {"dtype": torch.bool})],
    "aten.ones_like.default": [(IDS,), (X, {"dtype": torch.bool})],
    "aten.zeros.default": [([2, 3],), ([2], {"dtype": torch.int64})],
    "aten.zeros_like.default": [(IDS,)],
    "aten.alias.default": [(X,)],
    "aten.clone.default": [(X,)],
    "aten.contiguous.default": [(X,)],
    "aten.detach.default": [(X,)],
    "aten.detach_.default": [(X.clone(),)],
    "aten.lift_fresh_copy.default": [(X,)],
}


def test_every_operation_has_a_case() -> None:
    assert set(CASES) == set(OPS)


def in_jax(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return jnp.asarray(value.numpy())
    if isinstance(value, torch.dtype):
        return _value({"dtype": str(value).removeprefix("torch.")}, {})
    return [in_jax(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", OPS)
def test_it_gives_what_torch_gives(name: str) -> None:
    if name.startswith("aten."):
        theirs = operator.attrgetter(name.removeprefix("aten."))(torch.ops.aten)
    else:
        theirs = getattr(operator, name)
    for case in CASES[name]:
        more = case[-1] if isinstance(case[-1], dict) else {}
        args = case[:-1] if more else case
        wanted = theirs(*args, **more)
        found = OPS[name](*map(in_jax, args), **{key: in_jax(each) for key, each in more.items()})
        both = zip(wanted, found, strict=True) if isinstance(wanted, list) else [(wanted, found)]
        for want, got in both:
            if isinstance(want, torch.Tensor):
                assert got.shape == want.shape, case
                assert got.dtype.kind == want.numpy().dtype.kind, case
                np.testing.assert_allclose(np.asarray(got), want.numpy(), 1e-5, 1e-6)
            else:
                assert got == want


def test_other_norms_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="order 1"):
        OPS["aten.linalg_vector_norm.default"](jnp.ones(2), 1)


def test_inputs_are_named() -> None:
    program = Program(
        {
            "inputs": {"x": "ids"},
            "parameters": {"w": "weight"},
            "nodes": [["y", "aten.mul.Tensor", [{"value": "x"}, {"value": "w"}], {}]],
            "outputs": {"made": "y"},
        }
    )
    assert program.inputs == ("ids",)
    assert program({"weight": jnp.array(3)}, ids=[2])["made"].tolist() == [6]
    with pytest.raises(TypeError, match="wanted: ids"):
        program({"weight": jnp.array(3)}, mask=[2])
