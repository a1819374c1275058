"""Weight files of other frameworks, read without those frameworks.

flax_msgpack.py   Flax             tensor_bundle.py   TensorFlow's checkpoints
keras_h5.py       Keras            table_file.py      the table that lists their tensors
plain.py          bytes to tensors crc32c.py          its checksum
original_bert.py  names and config of BERT's first release
"""
