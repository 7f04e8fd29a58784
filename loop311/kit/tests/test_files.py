"""Files are whole or not there; what nobody names is swept, what somebody names stays."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path

import pytest

from loop311.kit.files import GRACE, Store
from loop311.kit.problems import NotFound, Unavailable
from loop311.kit.testing import at_once


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, 7)


def older(store: Store, seconds: float = GRACE + 1) -> None:
    """Everything the store holds was put that long ago."""
    then = time.time() - seconds
    for path in store.path(bytes(32)).parent.parent.rglob("*"):
        os.utime(path, (then, then))


def test_a_file_is_found_by_its_content_and_only_in_its_own_city(store: Store, tmp_path: Path) -> None:
    digest = store.put(b"photo")
    assert digest == hashlib.sha256(b"photo").digest() == store.put(b"photo")
    assert store.read(digest) == b"photo"
    assert store.path(digest).stat().st_mode & 0o777 == 0o600
    with pytest.raises(NotFound):
        Store(tmp_path, 8).read(digest)


def test_what_was_put_and_never_named_is_swept_and_what_is_named_stays(store: Store) -> None:
    named, orphan, settled = store.put(b"named"), store.put(b"orphan"), store.put(b"settled")
    store.settle(settled)
    assert store.sweep(lambda digest: digest == named) == 0, "too young"
    older(store)
    assert store.sweep(lambda digest: digest == named) == 1
    assert store.read(named)
    assert store.read(settled)
    with pytest.raises(NotFound):
        store.read(orphan)
    assert store.sweep(lambda _: False) == 0


def test_a_file_that_was_put_again_a_moment_ago_is_not_removed(store: Store) -> None:
    digest = store.put(b"photo")
    older(store)
    store.put(b"photo")
    assert not store.discard(digest)
    older(store)
    assert store.discard(digest)
    assert store.discard(digest)


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(Unavailable, match="the disk is full"):
        store.put(b"photo")
    monkeypatch.undo()
    digest = hashlib.sha256(b"photo").digest()
    assert not store.path(digest).exists()
    assert not list((store.path(digest).parent.parent / "drafts").iterdir())


def test_a_killed_writers_draft_is_swept(store: Store) -> None:
    store.settle(store.put(b"photo"))
    draft = store.path(bytes(32)).parent.parent / "drafts" / "left"
    draft.write_bytes(b"half")
    older(store)
    assert store.sweep(lambda _: True) == 1
    assert not draft.exists()


@pytest.mark.django_db(transaction=True)
def test_putting_and_removing_at_once_never_loses_what_was_put_last(store: Store) -> None:
    digest = store.put(b"photo")
    older(store)
    at_once([lambda: store.put(b"photo"), *[lambda: bytes(store.discard(digest))] * 6])
    assert store.read(digest) == b"photo"
