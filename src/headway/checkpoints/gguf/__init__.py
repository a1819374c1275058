"""Whole models in GGUF files: config.json and tensors as ggml's programs name and lay them.

architectures.py   keys and names, theirs beside the ecosystem's     rope.py   stretched positions
read.py            a file as parts of a model                        write.py   and back
"""
