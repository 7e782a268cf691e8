"""Small files, small functions, a true __all__: what a linter cannot see."""

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (ROOT / "sdk" / "feltsense", ROOT / "firmware_bridge" / "feltsense_bridge", ROOT / "mobile_app" / "feltsense_app")
SOURCES = sorted(p for package in PACKAGES for p in package.rglob("*.py"))
MAX_FILE = 400
MAX_FUNCTION = 60
MAX_PARAMETERS = 6
IDS = [str(p.relative_to(ROOT)) for p in SOURCES]


def functions(tree):
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function):
    """Lines of a function without its docstring."""
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        total -= first.end_lineno - first.lineno + 1
    return total


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_files_and_functions_are_small(path):
    text = path.read_text()
    assert text.count("\n") <= MAX_FILE, "a file has one subject"
    for f in functions(ast.parse(text)):
        assert length(f) <= MAX_FUNCTION, f"{f.name} has {length(f)} lines"
        named = [a.arg for a in (*f.args.posonlyargs, *f.args.args) if a.arg not in ("self", "cls")]
        assert len(named) <= MAX_PARAMETERS, f"{f.name} takes {len(named)} positional parameters"


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_files_say_what_they_are_and_name_what_is_public(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module's header says its contract"
    if path.name.startswith("_") and path.name != "__init__.py":
        return
    assigned = [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
    public = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")]
    assert "__all__" in assigned or not public, "a public module has an __all__"


@pytest.mark.parametrize("path", SOURCES, ids=IDS)
def test_all_is_true(path):
    package = next(p for p in PACKAGES if path.is_relative_to(p))
    if package.name == "feltsense_app" and "screens" in path.parts:
        return  # Kivy opens a window when it is imported: tests/app/test_app_window.py
    name = ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")
    module = importlib.import_module(name)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public), f"{name}.__all__ names {public}, which does not exist"


def test_the_tree_speaks_of_the_product_alone():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    places = re.compile(r"(?<![\w./])/(?:ro{2}t|w[o]rk|t[m]p)/|inde[x]-url|py[p]i\.org|files\.pythonho[s]ted")
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".txt", ".json", ".yml", ""} and path.is_file():
            found = places.search(path.read_text(encoding="utf-8", errors="ignore"))
            assert not found, f"{name} names a place of one machine: {found[0]}"


def test_no_empty_folders_or_placeholders():
    for package in PACKAGES:
        for folder in [package, *(d for d in package.rglob("*") if d.is_dir() and d.name != "__pycache__")]:
            assert any(f.stat().st_size for f in folder.iterdir() if f.is_file()), f"{folder} holds nothing"
