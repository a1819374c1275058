"""Results of steps, kept under keys that say what they depend on.

values.py  a hash of any value
code.py    a function -> what it reaches, with hashes
store.py   a key -> a folder on disk, made once
lock.py    one process at a time
flush.py   what was written is on the disk
files.py   the hash of a file, read once
history.py what was made lately, and why
parts.py   the rows of a result as files, made and resumed one by one
origin.py  a data set whose steps are kept: looked up, or made
why.py     which part of a key is another one than before
"""

from headway.data.cache.code import reached
from headway.data.cache.history import History, Made
from headway.data.cache.store import Entry, Store, key_of
from headway.data.cache.why import Change, changes, nearest_entry

__all__ = [
    "Change",
    "Entry",
    "History",
    "Made",
    "Store",
    "changes",
    "key_of",
    "nearest_entry",
    "reached",
]
