"""What becomes of numbers, flags, texts, vectors, images and objects, with a baseline and without."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import pytest

from .payloads import baseline, read, shown


def png(width: int, height: int) -> str:
    """An image in base64."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk).decode()


def test_integers_are_numbers_and_flags_are_labels() -> None:
    assert shown(read({"age": 41, "member": True}, {"age": 2.5, "member": False})) == {
        "age": [41.0, 2.5],
        "member": ["true", "false"],
    }


def test_a_flag_is_a_number_where_the_baseline_says_so_and_a_whole_number_a_label() -> None:
    columns = read({"flag": True, "zip": 8001}, {"flag": 0, "zip": "8002"}, on=baseline(flag=int, zip=["8001", "8002"]))
    assert shown(columns) == {"flag": [1.0, 0.0], "zip": ["8001", "8002"]}
    assert columns.wrong_type == {}


@pytest.mark.parametrize("value", ["41", "", [1, 2], {"years": 41}, ["41"]])
def test_what_is_no_number_is_of_the_wrong_type_for_a_number(value: Any) -> None:
    columns = read({"age": value}, {"age": 7}, on=baseline(age=int))
    assert columns.wrong_type == {"age": 1}
    assert shown(columns) == {"age": [None, 7.0]}


@pytest.mark.parametrize("value", [2.5, [1, 2], {"code": "de"}, ["a", "b"]])
def test_what_is_no_label_is_of_the_wrong_type_for_a_label(value: Any) -> None:
    columns = read({"country": value}, {"country": "de"}, on=baseline(country=["de", "fr"]))
    assert columns.wrong_type == {"country": 1}
    assert shown(columns) == {"country": [None, "de"]}


def test_null_and_absence_are_no_values() -> None:
    columns = read({"a": 1, "b": "x"}, {"a": None}, {"b": None}, on=baseline(a=float, b=["x", "y"]))
    assert shown(columns) == {"a": [1.0, None, None], "b": ["x", None, None]}
    assert columns.null == {"a": 1, "b": 1}


def test_integers_beyond_all_floats_are_infinite() -> None:
    columns = read({"a": 10**400}, {"a": -(10**400)}, {"a": 2**70})
    assert shown(columns) == {"a": [float("inf"), float("-inf"), 2.0**70]}


def test_words_for_what_is_no_number_are_texts() -> None:
    for word in ("NaN", "Infinity", "null", "N/A"):
        assert read({"a": word}, on=baseline(a=float)).wrong_type == {"a": 1}
        assert shown(read({"a": word}))["a"] == [word]


def test_a_text_has_a_length_a_script_and_may_be_empty() -> None:
    columns = read({"said": "Grüße, 世"}, {"said": "Привет"}, {"said": " \n"}, {"said": "x" * 65})
    assert shown(columns) == {
        "said": ["Grüße, 世", "Привет", " \n", None],
        "said.length": [8.0, 6.0, 2.0, 65.0],
        "said.empty": ["false", "false", "true", "false"],
        "said.script": ["latin", "cyrillic", "none", "latin"],
    }


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain", "latin"),
        ("naïve Ångström", "latin"),
        ("Ελληνικά", "greek"),
        ("数据漂移", "han"),
        ("データ", "katakana"),
        ("한국어", "hangul"),
        ("بيانات", "arabic"),
        ("עברית", "hebrew"),
        ("हिन्दी", "devanagari"),
        ("ภาษาไทย", "thai"),
        ("ᏣᎳᎩ", "other"),
        ("12:30, 5 %", "none"),
        ("😀", "none"),
        ("", "none"),
    ],
)
def test_the_script_is_that_of_most_letters(text: str, script: str) -> None:
    assert shown(read({"said": text}))["said.script"] == [script]


def test_moments_in_time_are_texts() -> None:
    assert shown(read({"at": "2026-03-01T12:00:00Z"}))["at"] == ["2026-03-01T12:00:00Z"]


def test_of_a_vector_norm_mean_and_length_are_kept() -> None:
    expected = {"embedding.norm": [5.0], "embedding.mean": [3.5], "embedding.length": [2.0]}
    assert shown(read({"embedding": [3, 4], "age": 1})) == {**expected, "age": [1.0]}
    assert shown(read({"embedding": [[3], [4]], "age": 1})) == {**expected, "age": [1.0]}


def test_a_list_of_one_value_is_that_value_unless_the_baseline_knows_its_length() -> None:
    assert shown(read({"a": [[7]], "b": ["x"]}, on=baseline(b=["x", "y"]))) == {"a": [7.0], "b": ["x"]}
    vector = baseline(a__norm=float, a__mean=float, a__length=float)
    assert shown(read({"a": [7], "b": 1}, on=vector)) == {
        "a.norm": [7.0],
        "a.mean": [7.0],
        "a.length": [1.0],
        "b": [1.0],
    }


@pytest.mark.parametrize("value", [["a", "b", "c"], [1, "b", None], [[1, 2], [3], []], [{"a": 1}, {"b": 2}, {}]])
def test_of_other_lists_only_the_length_is_kept(value: list[Any]) -> None:
    assert shown(read({"tags": value, "age": 1})) == {"tags.length": [3.0], "age": [1.0]}
    assert shown(read({"tags": [], "age": 1})) == {"tags.length": [0.0], "age": [1.0]}


@pytest.mark.parametrize(
    "pixels",
    [
        [[[10, 20, 30]] * 5] * 4,  # height, width, channels
        [[[10] * 5] * 4, [[20] * 5] * 4, [[30] * 5] * 4],  # channels, height, width
    ],
)
def test_of_pixels_size_and_brightness_are_kept(pixels: list[Any]) -> None:
    assert shown(read({"photo": pixels, "age": 1})) == {
        "photo.width": [5.0],
        "photo.height": [4.0],
        "photo.brightness": [20.0],
        "age": [1.0],
    }


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_of_an_encoded_image_size_and_bytes_are_kept(prefix: str) -> None:
    assert shown(read({"photo": prefix + png(640, 480)})) == {
        "photo.width": [640.0],
        "photo.height": [480.0],
        "photo.bytes": [33.0],
    }


def test_members_of_objects_have_dotted_names() -> None:
    row = {"address": {"city": "Rome", "at": {"x": 1, "y": 2}}}
    found = shown(read(row, {"address": None}, on=baseline(address__city=["Rome", "Oslo"])))
    assert found == {"address.city": ["Rome", None], "address.at.x": [1.0, None], "address.at.y": [2.0, None]}


def test_objects_are_looked_into_eight_deep() -> None:
    row: Any = 1
    for _ in range(8):
        row = {"a": row}
    assert shown(read(row)) == {"a.a.a.a.a.a.a.a": [1.0]}
    columns = read({"a": row})
    assert (shown(columns), columns.opaque) == ({}, {"a.a.a.a.a.a.a.a": 1})


def test_hashed_values_have_no_summary() -> None:
    hashed = "blake2b:" + "0" * 32
    columns = read({"a": hashed, "b": hashed, "c": hashed, "d": 1}, on=baseline(a=float, b=["x", "y"]))
    assert shown(columns) == {"d": [1.0]}
    assert columns.opaque == {"a": 1, "b": 1, "c": 1}
    assert columns.wrong_type == {}
    assert read(hashed).opaque == {"features": 1}


def test_what_the_baseline_names_of_a_feature_is_all_that_is_derived() -> None:
    on = baseline(country=["de", "fr"], review__length=int, review__script=["latin", "greek"])
    columns = read({"country": "de", "review": "fine", "other": "new"}, on=on)
    assert shown(columns) == {
        "country": ["de"],
        "review.length": [4.0],
        "review.script": ["latin"],
        "other": ["new"],
        "other.length": [3.0],
        "other.empty": ["false"],
        "other.script": ["latin"],
    }
    assert columns.unexpected == {"other": 1}


def test_one_feature_may_be_numbers_in_some_rows_and_labels_in_others() -> None:
    columns = read({"a": 1}, {"a": "one"}, {"a": True}, {"a": None}, {})
    assert shown(columns)["a"] == [1.0, "one", "true", None, None]


def test_a_dotted_name_and_a_nested_one_are_the_same_feature() -> None:
    assert shown(read({"a.b": 1, "c": 0}, {"a": {"b": 2}, "c": 0})) == {"a.b": [1.0, 2.0], "c": [0.0, 0.0]}


def test_names_are_unexpected_only_where_something_is_expected() -> None:
    row = {"age": 1, "agee": 2}
    assert read(row).unexpected == {}
    assert read(row, row, names=["age"]).unexpected == {"agee": 2}
    assert read(row, on=baseline(age=int)).unexpected == {"agee": 1}
    nested = read({"address": {"street": "x"}, "vector": [1, 2]}, on=baseline(address__city=["a"], vector__norm=float))
    assert nested.unexpected == {}
