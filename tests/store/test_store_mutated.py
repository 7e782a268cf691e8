"""A thousand mutated files: each is refused in one sentence without a word of its content, or is the same recording."""

import pytest
from mutated_files import KEY, Mutations

FILES = 500


@pytest.mark.parametrize("key", [None, KEY], ids=["plain", "sealed"])
def test_mutated_files(tmp_path, key):
    found = Mutations(tmp_path, key, seed=2).run(FILES)
    assert found.refused > FILES / 2
    assert found.refused + found.same == FILES
