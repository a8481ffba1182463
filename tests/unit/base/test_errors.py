"""The error tree: codes are a promise to clients."""

from __future__ import annotations

import pytest

from edge_aiops.base import errors
from edge_aiops.base.errors import EdgeAiopsError, FieldError, InvalidInput, StorageFull, Unavailable

CODES = {
    "EdgeAiopsError": "internal",
    "InvalidInput": "invalid_input",
    "TooLarge": "too_large",
    "InvalidModel": "invalid_model",
    "NotFound": "not_found",
    "UnknownModel": "unknown_model",
    "UnknownEvent": "unknown_event",
    "UnknownNode": "unknown_node",
    "Conflict": "conflict",
    "Forbidden": "forbidden",
    "Unavailable": "unavailable",
    "TooManyAttempts": "too_many_attempts",
    "BackendUnavailable": "backend_unavailable",
    "StorageFull": "storage_full",
    "DeadlineExceeded": "deadline_exceeded",
    "ModelFailed": "model_failed",
    "Untrusted": "untrusted",
    "SettingsError": "invalid_settings",
    "PluginError": "plugin_failed",
    "StoreError": "store_failed",
    "StoreLocked": "store_locked",
    "StoreCorrupt": "store_corrupt",
}

TREE = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, EdgeAiopsError)
}


def test_codes_never_change() -> None:
    assert {name: TREE[name].code for name in CODES if name in TREE} == CODES


def test_every_error_has_a_code_of_its_own() -> None:
    assert len({kind.code for kind in TREE.values()}) == len(TREE)


@pytest.mark.parametrize("name", TREE)
def test_the_picture_of_the_tree_shows_every_error_with_its_code(name: str) -> None:
    (line,) = [line for line in (errors.__doc__ or "").splitlines() if name in line.replace("+--", "").split()[:2]]
    assert TREE[name].code in line.split()


def test_the_message_and_the_fields_to_blame_are_there_for_whoever_answers() -> None:
    error = InvalidInput.of("features.age", "is missing")
    assert error.message == str(error) == "features.age: is missing"
    assert error.fields == (FieldError("features.age", "is missing"),)


def test_a_class_that_blames_a_field_stays_itself() -> None:
    assert type(errors.TooLarge.of("limit", "is too large")) is errors.TooLarge


def test_what_is_unavailable_says_when_to_try_again() -> None:
    assert Unavailable("later").retry_after_s > 0
    assert StorageFull("full", retry_after_s=5).retry_after_s == 5
