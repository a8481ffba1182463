"""The laws of inference ids."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from edge_aiops.base.ids import EventId, new_salt

ids = st.builds(EventId, st.integers(0, 2**48 - 1), st.integers(0, 2**26 - 1), st.integers(0, 2**48 - 1))


@given(ids)
def test_an_id_says_what_it_was_made_of(event_id: EventId) -> None:
    assert EventId.parse(str(event_id)) == event_id


@given(ids)
def test_an_id_is_a_uuid_of_version_7(event_id: EventId) -> None:
    uuid = UUID(str(event_id))
    assert (uuid.version, uuid.variant) == (7, RFC_4122)
    assert str(uuid) == str(event_id)
    assert uuid.int >> 80 == event_id.at_ms


@given(ids, ids)
def test_ids_sort_by_time(one: EventId, other: EventId) -> None:
    if one.at_ms != other.at_ms:
        assert (str(one) < str(other)) == (one.at_ms < other.at_ms)


@given(ids, st.integers(0, 2**48 - 1))
def test_ids_of_one_process_and_moment_sort_by_place(one: EventId, place: int) -> None:
    other = one._replace(place=place)
    assert (str(one) < str(other)) == (one.place < other.place)


@given(st.one_of(st.text(), st.uuids().filter(lambda uuid: uuid.version != 7).map(str)))
def test_what_is_no_id_of_ours_is_none(text: str) -> None:
    assert EventId.parse(text) is None


def test_a_salt_fits_and_is_drawn_anew() -> None:
    salts = [new_salt() for _ in range(20)]
    assert len(set(salts)) > 1
    assert all(EventId.parse(str(EventId(1, salt, 1))) == (1, salt, 1) for salt in salts)
