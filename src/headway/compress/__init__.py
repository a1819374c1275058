"""Models made smaller, or put into the format of another program.

export.py   headway.export: the folder          check.py      whether it gives what the model gives
graphs.py   a model on padded batches, traced   jax.py        traced programs written for JAX
onnx.py     ONNX files                          jax_model.py  runs them; also a file for users
"""

from headway.compress.export import EXPORTS, Exported, export
from headway.compress.jax import jax_function

__all__ = ["EXPORTS", "Exported", "export", "jax_function"]
