"""The layers are a table; who imports upwards, or awaits where nothing may wait, fails here."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SDK = ROOT / "sdk" / "feltsense"
BRIDGE = ROOT / "firmware_bridge" / "feltsense_bridge"
APP = ROOT / "mobile_app" / "feltsense_app"

# Lower never imports higher; those in one row may import each other.
LAYERS = (
    ("errors",),
    ("core",),
    ("dsp",),
    ("quality",),
    ("features",),
    ("crossmodal", "experts", "fusion", "bundle"),
    ("pipeline", "session", "calibration", "batch", "watch", "alignment"),
    ("store", "importers", "exporters", "datasets", "train", "evaluate", "report", "testing", "vision"),
    ("study",),
    ("cli",),
)
RANK = {name: rank for rank, row in enumerate(LAYERS) for name in row}
# What the bridge may know of the SDK.
BRIDGE_MAY = {"feltsense.errors", "feltsense.core"}
# The app's own layers: presenters know no window and no radio; screens decide nothing.
APP_MAY = {
    "theme": (),
    "words": (),
    "presenters": ("presenters", "words"),
    "platform": ("platform", "presenters"),
    "service": ("service", "presenters", "platform", "words"),
    "screens": ("screens", "presenters", "service", "words", "theme"),
    "main": ("screens", "service"),
    "start": ("main", "platform", "service"),
}
KIVY_MAY = ("screens",)
# Where code may wait: everything else is pure and runs the same live and in batch.
MAY_AWAIT = (
    *(f"feltsense_bridge/{name}" for name in ("testing/", "link", "live", "scan", "about", "transport")),
    "cli/",
    *(f"feltsense_app/{name}" for name in ("service/", "main", "start")),
)


def modules(root):
    return sorted(root.rglob("*.py"))


def imports(path, package_root):
    """Absolute names of everything a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            # `from feltsense import features` names a module, too.
            yield from (f"{node.module}.{a.name}" for a in node.names if node.module in ("feltsense", "feltsense_bridge"))


def top(name):
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("path", modules(SDK), ids=lambda p: str(p.relative_to(SDK)))
def test_sdk_imports_only_downwards(path):
    here = path.relative_to(SDK).parts[0].removesuffix(".py")
    if here == "__init__":
        return  # the public face knows every layer, lazily (test_public_face)
    assert here in RANK, f"{here} has no place in the table of layers"
    for name in imports(path, SDK):
        if name.startswith("feltsense_bridge") or name.startswith("feltsense_app"):
            assert here == "cli", f"{path} imports {name}: below cli the SDK never imports the bridge"
        elif name.startswith("feltsense.") and top(name) in RANK:
            assert RANK[top(name)] <= RANK[here], f"{path} ({here}) imports {name}"


@pytest.mark.parametrize("path", modules(BRIDGE), ids=lambda p: str(p.relative_to(BRIDGE)))
def test_the_bridge_knows_only_the_core(path):
    for name in imports(path, BRIDGE):
        if name.startswith("feltsense."):
            assert ".".join(name.split(".")[:2]) in BRIDGE_MAY, f"{path} imports {name}"


@pytest.mark.parametrize("path", modules(APP), ids=lambda p: str(p.relative_to(APP)))
def test_the_app_keeps_its_layers(path):
    here = path.relative_to(APP).parts[0].removesuffix(".py")
    if here == "__init__":
        return
    assert here in APP_MAY, f"{here} has no place in the app's table"
    for name in imports(path, APP):
        if name.startswith("feltsense_app.") and top(name) in APP_MAY:
            assert top(name) in (*APP_MAY[here], here), f"{path} ({here}) imports {name}"
        assert not name.startswith("feltsense.cli"), f"{path} imports {name}: the app needs no command line"
        if name.split(".")[0] == "kivy":
            assert here in KIVY_MAY, f"{path} imports {name}: only screens know the window"


@pytest.mark.parametrize("path", [*modules(SDK), *modules(BRIDGE), *modules(APP)], ids=lambda p: str(p.relative_to(ROOT)))
def test_only_links_transports_and_commands_wait(path):
    waits = any(isinstance(n, ast.Await | ast.AsyncFor | ast.AsyncWith) for n in ast.walk(ast.parse(path.read_text())))
    if waits:
        assert any(part in str(path.relative_to(ROOT)) for part in MAY_AWAIT), f"{path} awaits"
