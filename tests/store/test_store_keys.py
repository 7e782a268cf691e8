"""Keys: kept wrapped, opened only by what wrapped them, and gone when destroyed."""

import json

import keyring
import keyring.backend
import pytest

from feltsense.errors import KeyStoreError
from feltsense.store import Vault
from feltsense.store import keys as module


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A derivation that costs nothing: its strength is not what is tested."""
    monkeypatch.setattr(module, "SCRYPT", {"n": 2**4, "r": 8, "p": 1})


class Store(keyring.backend.KeyringBackend):
    """The operating system's key store, in memory."""

    priority = 1

    def __init__(self):
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        del self.kept[service, username]


@pytest.fixture
def system():
    before = keyring.get_keyring()
    store = Store()
    keyring.set_keyring(store)
    yield store
    keyring.set_keyring(before)


def test_a_passphrase_wraps_and_opens(tmp_path):
    key = Vault(tmp_path, "correct horse").make("P01")
    assert Vault(tmp_path, "correct horse").key("P01") == key
    assert Vault(tmp_path, "correct horse").by_id(key.id) == key
    content = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert key.secret not in content
    assert key.secret.hex().encode() not in content
    assert "secret" not in repr(key)
    with pytest.raises(KeyStoreError, match="passphrase is wrong"):
        Vault(tmp_path, "wrong").key("P01")
    with pytest.raises(KeyStoreError, match="FELTSENSE_PASSPHRASE"):
        Vault(tmp_path).key("P01")
    with pytest.raises(KeyStoreError, match="is empty"):
        Vault(tmp_path, "")


def test_the_same_passphrase_from_another_keyboard(tmp_path):
    key = Vault(tmp_path, "Schl\u00fcssel").make("P")
    assert Vault(tmp_path, "Schlu\u0308ssel").key("P") == key


def test_a_key_is_never_replaced(tmp_path):
    vault = Vault(tmp_path, "x")
    key = vault.make("P01")
    with pytest.raises(KeyStoreError, match="has a key already"):
        vault.make("P01")
    assert vault.key("P01") == key
    assert vault.key("P02") != key
    assert set(vault.subjects()) == {"P01", "P02"}


def test_the_systems_key_store(tmp_path, system):
    key = Vault(tmp_path).make("P01")
    assert len(system.kept) == 1
    assert Vault(tmp_path).key("P01") == key
    assert key.secret not in b"".join(p.read_bytes() for p in tmp_path.iterdir())
    Vault(tmp_path).destroy("P01")
    assert not system.kept
    assert not list(tmp_path.iterdir())
    with pytest.raises(KeyStoreError, match="has no key"):
        Vault(tmp_path).by_id(key.id)


def test_a_key_store_that_lost_the_key_or_keeps_nothing(tmp_path, system, monkeypatch):
    Vault(tmp_path).make("P01")
    system.kept.clear()
    with pytest.raises(KeyStoreError, match="destroyed, or made on another machine"):
        Vault(tmp_path).key("P01")
    monkeypatch.setattr(Store, "set_password", lambda *_: None)
    with pytest.raises(KeyStoreError, match="does not keep"):
        Vault(tmp_path).make("P02")


def test_no_key_store_is_no_encryption(tmp_path):
    from keyring.backends import fail, null

    before = keyring.get_keyring()
    try:
        for backend in (fail.Keyring(), null.Keyring()):
            keyring.set_keyring(backend)
            with pytest.raises(KeyStoreError, match="use a passphrase"):
                Vault(tmp_path).make("P01")
    finally:
        keyring.set_keyring(before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"format": "feltsense key 9"},
        {"sealed": "AAAA"},
        {"sealed": "not base 64!"},
        {"subject": "P99"},
        {"wrap": {"by": "passphrase", "salt": "00", "n": 2**40, "r": 8, "p": 1}},
        {"wrap": {"by": "passphrase", "salt": "zz", "n": 16, "r": 8, "p": 1}},
        {"wrap": {"by": "friend"}},
        {"wrap": None},
    ],
)
def test_a_changed_key_file_opens_nothing(tmp_path, change):
    key = Vault(tmp_path, "x").make("P01")
    (path,) = tmp_path.iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(KeyStoreError) as e:
        Vault(tmp_path, "x").by_id(key.id)
    assert "\n" not in str(e.value)
    path.write_text("{")
    with pytest.raises(KeyStoreError, match="damaged"):
        Vault(tmp_path, "x").subjects()
