"""Files that hold a tokenizer: which kinds there are, and how each is read and written.

Every reader gives the content of an equivalent tokenizer.json (a dict), so that one engine runs
them all and every one of them can be saved. export.py writes other formats than that.
"""

from headway.tokenizer.formats.folder import FILES, Found, find, holds_tokenizer

__all__ = ["FILES", "Found", "find", "holds_tokenizer"]
