"""The public face is true: every name is there, lazily, and nothing else is promised."""

import ast
from pathlib import Path

import pytest

import feltsense


def test_every_public_name_exists_and_the_table_matches():
    assert sorted(feltsense.__all__) == list(feltsense.__all__)
    assert set(feltsense._WHERE) == set(feltsense.__all__)
    for name in feltsense.__all__:
        assert getattr(feltsense, name) is not None
    assert set(feltsense.__all__) <= set(dir(feltsense))


def test_unknown_names_are_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = feltsense.nonsense


def test_types_that_checkers_see_are_those_that_run():
    tree = ast.parse(Path(feltsense.__file__).read_text())
    seen = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("feltsense."):
            seen |= {(a.asname or a.name): (node.module, a.name) for a in node.names}
    for name, where in feltsense._WHERE.items():
        module, there = (where, name) if isinstance(where, str) else where
        assert seen[name] == (f"feltsense.{module}", there)
