"""Models made smaller, or put into the format of another program.

export.py   headway.export: the folder          onnx.py    ONNX files
graphs.py   a model on padded batches, traced   check.py   whether it gives what the model gives
"""

from headway.compress.export import EXPORTS, Exported, export

__all__ = ["EXPORTS", "Exported", "export"]
