"""Damaged files: bytes flipped, cut, rows and fields changed, in sealed files by one who knows the format and not the key.

What must come of each: refused in one sentence without a word of its content, or the very same recording; and nothing else
of the store (a part of it, verify, salvage, going on) may crash on it either.
"""

# ruff: noqa: S608 (the names in the statements are the schema's)

import os
import random
import sqlite3

import numpy as np

from feltsense.core.event import Event, EventKind
from feltsense.core.recording import Recording, Stream
from feltsense.errors import FeltsenseError
from feltsense.store import DataKey, Reader, Writer, read, salvage, verify, write
from feltsense.store.rows import COLUMNS, row_sum
from feltsense.store.schema import checksum
from same_recording import T0, assert_same, infos, live_chunks

KEY = DataKey("00ff00ff00ff00ff", bytes(range(32)))
SUBJECT, SECRET = "participant-seventeen", "a secret note"
ALL_OF_IT = 10
"""Every so many files everything is tried on it, not only reading."""


def mend_checksums(db):
    """As somebody would who knows the format, and not the key."""
    for table, names in COLUMNS.items():
        rows = db.execute(f"SELECT rowid, {', '.join(names)}, body FROM {table}").fetchall()
        for key, *columns, body in rows:
            db.execute(f"UPDATE {table} SET crc = ? WHERE rowid = ?", (row_sum(table, columns, body), key))
    for recording, key in db.execute("SELECT recording, key_id FROM lock").fetchall():
        db.execute("UPDATE lock SET crc = ?", (checksum(recording, key),))


class Mutations:
    """Mutated copies of one recording's file, each judged.

    ``refused`` and ``same`` count what came of them.
    """

    def __init__(self, folder, key, seed):
        self.folder, self.key, self.rng = folder, key, random.Random(seed)
        numbers = np.random.default_rng(1)
        streams = {i.id: Stream.from_chunks(i, live_chunks(i, numbers, samples=60)) for i in infos()}
        note = Event(T0, EventKind.NOTE, 1.0, SECRET)
        self.recording = Recording(SUBJECT, streams, (note,), {"a": "b"})
        good, self.path = folder / f"good-{seed}.felt", folder / f"m-{seed}.felt"
        write(good, self.recording, key=key)
        self.content = good.read_bytes()
        self.refused = self.same = 0

    def run(self, count):
        """So many files."""
        for n in range(count):
            self.path.write_bytes(self.content)
            if self.rng.random() < 0.6:
                self._bytes()
            else:
                self._fields()
            self._judge(everything=n % ALL_OF_IT == 0)
        return self

    def _bytes(self):
        rng, raw = self.rng, bytearray(self.content)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(3))
        if rng.random() < 0.1:
            del raw[rng.randrange(len(raw)) :]
        self.path.write_bytes(raw)

    def _fields(self):
        """Fields of the rows, or whole rows; SQLite itself sees nothing wrong with the file."""
        rng = self.rng
        db = sqlite3.connect(self.path, isolation_level=None)
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        for _ in range(rng.randrange(1, 3)):
            table = rng.choice([*COLUMNS, *(["lock"] if self.key else [])])
            columns = [c for _, c, *_ in db.execute(f"PRAGMA table_info({table})")]
            rows = [k for (k,) in db.execute(f"SELECT rowid FROM {table}")]
            if not rows:
                continue
            row, column = rng.choice(rows), rng.choice(columns)
            what = rng.random()
            try:
                if what < 0.15:
                    db.execute(f"DELETE FROM {table} WHERE rowid = ?", (row,))
                elif what < 0.3:
                    other = rng.choice(rows)
                    db.execute(f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE rowid = ?)"
                               " WHERE rowid = ?", (other, row))  # fmt: skip
                else:
                    (old,) = db.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (row,)).fetchone()
                    db.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (self._other(old), row))
            except (sqlite3.Error, OverflowError):
                # What the schema itself refuses cannot be in a file.
                continue
        if self.key and rng.random() < 0.5:
            mend_checksums(db)
        db.execute("COMMIT")
        db.close()

    def _other(self, old):
        rng = self.rng
        if isinstance(old, bytes) and old and rng.random() < 0.7:
            raw = bytearray(old)
            raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            return bytes(raw)
        if isinstance(old, int) and rng.random() < 0.7:
            return old + rng.choice((-1, 1, 2**31, -(2**40)))
        numbers, texts = (0, -1, 2**62, 0.5, float("inf")), ("", "x", "ecg", "1/0")
        return rng.choice((None, *numbers, *texts, b"", b"\x00" * 40, rng.randbytes(9)))

    def _judge(self, everything):
        try:
            back = read(self.path, self.key)
        except FeltsenseError as error:
            self.refused += 1
            self._said(error)
        else:
            assert_same(back, self.recording)
            self.same += 1
        if everything:
            self._the_rest()

    def _said(self, error):
        told = str(error)
        assert "\n" not in told, told
        assert self.key is None or (SUBJECT not in told and SECRET not in told), told

    def _the_rest(self):
        """A part of it, its integrity, what can be saved, and going on: an answer or our error, never a crash."""
        out = self.folder / "saved.felt"

        def part():
            with Reader(self.path, self.key) as reader:
                reader.between(T0, T0 + 10**10)

        def saved():
            salvage(self.path, out, self.key)
            back = read(out, self.key)
            for name, account in back.account().items():
                # Nothing is made up: what was saved is at most what there was.
                assert account.received <= self.recording.account()[name].received

        def gone_on():
            Writer.resume(self.path, self.key).close()
            assert_same(read(self.path, self.key), self.recording)

        for attempt in (part, lambda: verify(self.path, self.key), saved, gone_on):
            try:
                attempt()
            except FeltsenseError as error:
                self._said(error)
            finally:
                for left in (out, *(self.folder / f"{out.name}{s}" for s in ("-wal", "-shm", "-journal", ".part"))):
                    if left.exists():
                        os.unlink(left)
        for suffix in ("-wal", "-shm", "-journal"):
            side = self.path.with_name(self.path.name + suffix)
            if side.exists():
                os.unlink(side)
