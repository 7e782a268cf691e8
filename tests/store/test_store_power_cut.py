"""Power is cut at any moment of a recording: what was acknowledged is there. And disks that are full or read-only."""

import os
import random

import power_cut
import pytest
from recorders import FRAME, check, fill_up

from feltsense.errors import RecordingError
from feltsense.store import DataKey, Writer, read, verify

KEY = DataKey("00ff00ff00ff00ff", bytes(range(32)))
COMMITS, CUTS = 120, 25


@pytest.mark.skipif(not power_cut.can(), reason="needs Linux and a C compiler (cc)")
@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed"])
def test_a_power_cut_loses_nothing_acknowledged(tmp_path, sealed):
    log = power_cut.logged(tmp_path, COMMITS, sealed)
    assert sum(op == "S" for op, *_ in log) >= COMMITS
    cuts = 0
    for acknowledged, files in power_cut.moments(log, CUTS, random.Random(7)):
        folder = tmp_path / f"cut{cuts}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        check(read(folder / "s.felt", KEY if sealed else None), acknowledged)
        Writer.resume(folder / "s.felt", KEY if sealed else None).close()
        assert not verify(folder / "s.felt", KEY if sealed else None).wrong
        cuts += 1
    assert cuts > CUTS * 0.8


@pytest.mark.skipif(os.name != "posix", reason="limits of files' sizes are POSIX")
@pytest.mark.parametrize("limit", [60_000, 150_000, 400_000])
def test_a_disk_that_is_full_is_said_and_loses_nothing_acknowledged(tmp_path, limit):
    path = tmp_path / "s.felt"
    acknowledged, (first, second) = fill_up(path, limit)
    assert "check the disk and its free space" in first
    assert "cannot be written" in first
    assert "Writer.resume" in second
    back = read(path)
    counts = {a.received for a in back.account().values()}
    assert counts in ({acknowledged * FRAME}, set())
    with Writer.resume(path) as writer:
        assert writer.path == path


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_a_file_that_may_not_be_written(tmp_path):
    path = tmp_path / "s.felt"
    Writer(path, "S").close()
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(RecordingError) as e:
            Writer.resume(path)
        with pytest.raises(RecordingError, match="choose a folder that exists and is writable"):
            Writer(tmp_path / "new.felt", "S")
    finally:
        if root:
            os.seteuid(0)
        tmp_path.chmod(0o755)
    assert "\n" not in str(e.value)
    assert "cannot be written" in str(e.value) or "cannot be read" in str(e.value)
