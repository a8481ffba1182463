"""The size of an image is read from the first bytes of its file."""

from __future__ import annotations

import base64
import struct

import pytest

from edge_aiops.observe.columns.images import encoded_image

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 300, 200) + b"\0" * 40
GIF = b"GIF89a" + struct.pack("<HH", 300, 200) + b"\0" * 40
BMP = b"BM" + struct.pack("<IIIIii", 4_096, 0, 54, 40, 300, -200) + b"\0" * 40
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 10 + b"\xff\xc2\x00\x11\x08" + struct.pack(">HH", 200, 300) + b"\0" * 40
)
VP8 = b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 7 + b"\x9d\x01\x2a" + struct.pack("<HH", 300, 200) + b"\0" * 40
VP8L = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 299 | 199 << 14) + b"\0" * 40
VP8X = b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + (299).to_bytes(3, "little") + (199).to_bytes(3, "little") + b"\0" * 40

FILES = {"png": PNG, "gif": GIF, "bmp": BMP, "jpeg": JPEG, "webp": VP8, "lossless webp": VP8L, "extended webp": VP8X}


@pytest.mark.parametrize("file", FILES.values(), ids=FILES.keys())
def test_width_height_and_size_of_every_format(file: bytes) -> None:
    text = base64.b64encode(file).decode()
    assert encoded_image(text) == (len(file), 300, 200)
    assert encoded_image(f"data:image/whatever;base64,{text}") == (len(file), 300, 200)


@pytest.mark.parametrize("file", FILES.values(), ids=FILES.keys())
def test_a_cut_file_has_no_size_or_is_none_at_all(file: bytes) -> None:
    for length in range(24, len(file) - 40):
        found = encoded_image(base64.b64encode(file[:length]).decode())
        assert found is None or found[1:] in ((None, None), (300, 200))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "BMW",
        "Qk",
        "a text",
        "iVBORw0KGgo is how it begins, and then it is no base64",
        "QkluZGluZyBvZiBib29rcyBhbmQgbW9yZQ==",
    ],
)
def test_other_texts_are_no_images(text: str) -> None:
    assert encoded_image(text) is None


def test_a_photograph_whose_metadata_are_long_is_an_image_without_a_size() -> None:
    segment = b"\xff\xe1" + struct.pack(">H", 65_535) + b"\0" * 65_533
    file = b"\xff\xd8" + segment * 2 + JPEG[2:]
    assert encoded_image(base64.b64encode(file).decode()) == (len(file), None, None)
