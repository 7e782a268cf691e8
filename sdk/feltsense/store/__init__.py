"""The ``.felt`` file: one SQLite file a session, safe against a kill at any moment, exact to the bit, sealed if asked.

Contract
--------
- :class:`Writer` appends; what was appended before :meth:`Writer.commit` returned is in the file whatever happens
  next. A file is never overwritten; after a crash :meth:`Writer.resume` goes on in it.
- :func:`read` gives back what was appended: values, times and device times bit for bit, whatever the chunks were.
  :class:`Reader` reads a part.
- Every row carries a checksum over all of its fields: a flipped bit anywhere is an error that names the row.
- With a :class:`DataKey` everything is encrypted (AES-256-GCM); a :class:`Vault` keeps participants' keys.
- A reader never writes, and needs no permission to write.
"""

from __future__ import annotations

from feltsense.store.keys import Vault
from feltsense.store.opening import is_felt
from feltsense.store.reader import Reader, key_id, read
from feltsense.store.salvage import Salvaged, salvage
from feltsense.store.seal import DataKey
from feltsense.store.verify import Verdict, verify
from feltsense.store.whole import write
from feltsense.store.writer import Writer

__all__ = [
    "DataKey",
    "Reader",
    "Salvaged",
    "Vault",
    "Verdict",
    "Writer",
    "is_felt",
    "key_id",
    "read",
    "salvage",
    "verify",
    "write",
]
