"""GGUF: the files of ggml's programs. What stands in them, whatever it means.

container.py   names, values and where each tensor lies     writing.py     the same, written
types.py       how numbers are stored                       codebooks.py   tables of the i-quants
blocks.py      blocks to numbers                            quantise.py    numbers to blocks
"""
