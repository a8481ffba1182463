"""How much of a payload the journal keeps."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from edge_aiops.journal.capture import Capture, CapturePolicy

FEATURES = b'{"email": "a@b.example", "age": 42}'


def kept(fields: tuple[str, ...], features: bytes = FEATURES, key: bytes = b"key") -> Any:
    policy = CapturePolicy(mode="hashed", fields=fields)
    return msgspec.json.decode(Capture(key).features(policy, features) or "")


@pytest.mark.parametrize("mode", ["full", "sampled", "none"])
def test_features_that_are_kept_are_kept_as_sent(mode: Any) -> None:
    assert Capture(b"key").features(CapturePolicy(mode=mode), FEATURES) == FEATURES.decode()


@pytest.mark.parametrize(
    ("policy", "share"),
    [
        (CapturePolicy(), 1),
        (CapturePolicy(mode="hashed"), 1),
        (CapturePolicy(mode="none"), 0),
        (CapturePolicy(mode="sampled", rate=0), 0),
        (CapturePolicy(mode="sampled", rate=1), 1),
        (CapturePolicy(mode="sampled", rate=0.25), pytest.approx(0.25, abs=0.03)),
    ],
)
def test_the_wanted_share_of_events_is_kept(policy: CapturePolicy, share: float) -> None:
    capture = Capture(b"key", seed=1)
    assert sum(capture.wanted(policy) for _ in range(5_000)) / 5_000 == share


def test_only_the_named_fields_are_hashed() -> None:
    found = kept(("email", "no such field"))
    assert found["age"] == 42
    assert found["email"].startswith("blake2b:")
    assert "a@b" not in str(found)


def test_all_fields_are_hashed_where_none_are_named() -> None:
    found = kept(())
    assert list(found) == ["email", "age"]
    assert all(value.startswith("blake2b:") for value in found.values())


def test_each_row_of_many_is_hashed() -> None:
    first, second, third = kept(("email",), b'[{"email": "a", "age": 1}, {"email": "b", "age": 2}, {"email": "a"}]')
    assert (first["age"], second["age"]) == (1, 2)
    assert first["email"] == third["email"] != second["email"]


@pytest.mark.parametrize(
    "features", [b"[1.5, 2]", b'"text"', b'"{\\"email\\": \\"a\\"}"', b"[]", b"7", b'[{"a": 1}, 2]']
)
def test_features_without_names_are_hashed_whole(features: bytes) -> None:
    found = kept(("email",), features)
    assert isinstance(found, str)
    assert found.startswith("blake2b:")


def test_the_same_value_has_the_same_hash_on_one_node_and_another_on_the_next() -> None:
    assert kept(("email",)) == kept(("email",))
    assert kept(("email",))["email"] != kept(("email",), key=b"another node")["email"]


@pytest.mark.parametrize(
    "policy", [b'{"mode": "some"}', b'{"mode": "sampled", "rate": 1.5}', b'{"rate": -1}', b'{"field": ["x"]}']
)
def test_a_policy_that_cannot_be_is_refused(policy: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(policy, type=CapturePolicy)


@pytest.mark.parametrize("mode", ["full", "hashed"])
def test_what_is_too_long_is_left_out(mode: Any) -> None:
    policy = CapturePolicy(mode=mode)
    assert Capture(b"key", max_bytes=len(FEATURES)).features(policy, FEATURES) is not None
    assert Capture(b"key", max_bytes=len(FEATURES) - 1).features(policy, FEATURES) is None
    assert Capture(b"key", max_bytes=3).text(b"1234") is None
