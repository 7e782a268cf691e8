"""The ``.felt`` file: one SQLite file a session, safe against a kill at any moment, exact to the bit.

Contract
--------
- :class:`Writer` appends; what was appended before :meth:`Writer.commit` returned is in the file whatever happens
  next. A file is never overwritten; after a crash :meth:`Writer.resume` goes on in it.
- :func:`read` gives back what was appended: values, times and device times bit for bit, whatever the chunks were.
- Every row carries a checksum over all of its fields: a flipped bit anywhere is an error that names the row.
- A reader never writes, and needs no permission to write.
"""

from __future__ import annotations

from feltsense.store.reader import is_felt, read
from feltsense.store.writer import Writer, write

__all__ = ["Writer", "is_felt", "read", "write"]
