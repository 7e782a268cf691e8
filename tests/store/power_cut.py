"""Power cuts: a recorder's write log, replayed up to a moment without what came after each file's last sync.

What was written and not yet synced is there or not, in any combination, and torn at a sector: a disk promises no more.
"""

import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
SECTOR = 512
CHILD = """
import os, sys
sys.path.insert(0, sys.argv[2])
from recorders import record
from feltsense.store import DataKey
key = DataKey("00ff00ff00ff00ff", bytes(range(32))) if sys.argv[4] == "sealed" else None
ack = os.open(sys.argv[1] + "/ack", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
record(sys.argv[1] + "/s.felt", key, ack, int(sys.argv[3]), first=True)
"""


def can():
    """Whether this machine can log a process's writes."""
    return sys.platform == "linux" and shutil.which("cc") is not None


def logged(folder, commits, sealed):
    """Record in a child whose writes are logged; the log: (operation, path, offset, data) in order."""
    library, log, work = folder / "power_cut.so", folder / "log", folder / "work"
    work.mkdir()
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "power_cut.c", "-ldl"], check=True)
    around = os.environ | {"LD_PRELOAD": str(library), "FELT_LOG": str(log), "FELT_LOG_DIR": str(work)}
    told = [str(work), str(HERE), str(commits), "sealed" if sealed else "plain"]
    subprocess.run([sys.executable, "-c", CHILD, *told], env=around, check=True)
    return list(_records(log.read_bytes()))


def _records(raw):
    at = 0
    while at < len(raw):
        op, name, offset, size = struct.unpack_from("<4q", raw, at)
        at += 32
        path = raw[at : at + name].decode()
        data = raw[at + name : at + name + (size if op == ord("W") else 0)]
        at += name + len(data)
        yield chr(op), Path(path).name, offset, data


class Disk:
    """Files as they are for sure, and what was written to them since their last sync."""

    def __init__(self):
        self.sure, self.unsure = {}, {}

    def apply(self, op, name, offset, data):
        if op == "S":
            for pending in self.unsure.pop(name, []):
                _write(self.sure.setdefault(name, bytearray()), *pending)
        elif op == "U":
            self.sure.pop(name, None)
            self.unsure.pop(name, None)
        else:
            self.sure.setdefault(name, bytearray())
            self.unsure.setdefault(name, []).append((op, offset, data))

    def cut(self, rng):
        """The files after a power cut now: anything that was not synced is there, not there, or torn."""
        out = {}
        for name, sure in self.sure.items():
            content = bytearray(sure)
            fate = rng.choice(("none", "all", "some"))
            for op, offset, data in self.unsure.get(name, []):
                if fate == "none" or (fate == "some" and rng.random() < 0.5):
                    continue
                whole = (
                    data if fate == "all" or rng.random() < 0.7 else data[: rng.randrange(len(data) + 1) // SECTOR * SECTOR]
                )
                _write(content, op, offset, whole)
            out[name] = bytes(content)
        return out


def _write(content, op, offset, data):
    if op == "T":
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def moments(log, count, rng):
    """(acknowledged frames, files) at so many moments of a log."""
    wanted = set(rng.sample(range(len(log)), min(count, len(log))))
    disk, acknowledged = Disk(), None
    for k, (op, name, offset, data) in enumerate(log):
        if name == "ack":
            acknowledged = int(data)
        else:
            disk.apply(op, name, offset, data)
        if k in wanted and acknowledged is not None:
            files = disk.cut(rng)
            yield acknowledged, {n: c for n, c in files.items() if n != "ack"}
