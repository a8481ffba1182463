"""Folders of models in archives: what nobody packs in good faith is refused, and the same files pack the same."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_aiops.plugin import InvalidModel, ModelFolder
from edge_aiops.plugin.archives import MOST_MEMBERS, pack

Archived = Callable[..., Path]


@pytest.fixture
def archived(tmp_path: Path) -> Archived:
    """Writes an archive of members, by their names or their `ZipInfo`."""

    def write(*members: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
        path = tmp_path / "model.zip"
        with zipfile.ZipFile(path, "w", compression) as archive:
            for member, content in members:
                archive.writestr(member, content)
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(InvalidModel) as caught:
        ModelFolder(path)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["../outside", "a/../../outside", "/etc/passwd", "C:/windows", "a\\b", "a//b", "./a", "a/.", "a/\\..\\b"]
)
def test_a_name_that_leads_out_of_the_folder_is_refused(archived: Archived, name: str) -> None:
    assert "leads out of the folder" in refusal(archived((name, b"x"), ("config.json", b"{}")))


def test_a_name_with_a_nul_is_refused(archived: Archived) -> None:
    # zipfile itself cuts the name there, when it writes and when it reads.
    path = archived(("a.jsonXevil", b"x"))
    path.write_bytes(path.read_bytes().replace(b"a.jsonXevil", b"a.json\0evil"))
    assert "leads out of the folder" in refusal(path)


def test_a_member_that_is_there_twice_is_refused(archived: Archived) -> None:
    path = archived(("a.json", b"1"), ("b.json", b"2"))
    path.write_bytes(path.read_bytes().replace(b"b.json", b"a.json"))
    assert "has 'a.json' twice" in refusal(path)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_a_member_that_is_no_file_is_refused(archived: Archived, kind: int) -> None:
    member = zipfile.ZipInfo("model.onnx")
    member.create_system = 3
    member.external_attr = (kind | 0o777) << 16
    assert "is a link or a device" in refusal(archived((member, b"/etc/passwd")))


def test_an_encrypted_member_is_refused(archived: Archived) -> None:
    path = archived(("model.onnx", b"x"))
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<H", content, directory + 8, 1)
    path.write_bytes(content)
    assert "is encrypted" in refusal(path)


def test_a_bomb_is_refused_before_it_unfolds(archived: Archived) -> None:
    path = archived(("zeros.bin", bytes(8 * 1024 * 1024)), compression=zipfile.ZIP_DEFLATED)
    assert "'zeros.bin' unfolds to more than 20 times its size" in refusal(path)


def test_a_member_gives_no_more_than_it_declares(archived: Archived) -> None:
    path = archived(("vocab.txt", b"word " * 10_000), compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 100)
    path.write_bytes(content)
    with ModelFolder(path) as folder:
        try:
            assert len(folder.read("vocab.txt")) <= 100
        except InvalidModel as error:
            assert "vocab.txt cannot be read from the archive" in str(error)


def test_too_many_members_are_refused(archived: Archived) -> None:
    many = [(f"{number}.txt", b"") for number in range(MOST_MEMBERS)]
    with ModelFolder(archived(*many)) as folder:
        assert len(folder.names) == MOST_MEMBERS
    assert f"more than {MOST_MEMBERS} members" in refusal(archived(*many, ("one.more", b"")))


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04", bytes(4096)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.zip").write_bytes(content)
    assert "neither a folder nor a zip archive" in refusal(tmp_path / "model.zip")
    assert "neither a folder nor a zip archive" in refusal(tmp_path / "missing.zip")


def test_a_damaged_member_is_refused_when_it_is_read(archived: Archived) -> None:
    path = archived(("config.json", b'{"fine": 1}'))
    path.write_bytes(path.read_bytes().replace(b'"fine"', b'"evil"'))
    with ModelFolder(path) as folder, pytest.raises(InvalidModel, match=r"config\.json cannot be read .* Bad CRC-32"):
        folder.read("config.json")


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_whatever_is_damaged_an_archive_is_read_or_refused(archived: Archived, compression: int) -> None:
    whole = archived(("config.json", b'{"fine": 1}' * 20), ("tök.json", b"x"), compression=compression).read_bytes()
    path = archived()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        with contextlib.suppress(InvalidModel), ModelFolder(path) as folder:
            for name in folder.names:
                folder.read(name)


def test_a_member_without_a_name_is_refused(archived: Archived) -> None:
    path = archived(("config.json", b"{}"), ("X", b"x"))
    path.write_bytes(path.read_bytes().replace(b"X", b"\0"))
    assert "leads out of the folder" in refusal(path)


def test_a_file_that_is_not_there_is_told_with_those_that_are(archived: Archived) -> None:
    with ModelFolder(archived(("a", b""), ("b/c", b""))) as folder, pytest.raises(InvalidModel, match="it has: a, b/c"):
        folder.read("config.json")


def test_the_single_folder_that_an_archive_holds_is_left_out_of_the_names(archived: Archived) -> None:
    with ModelFolder(archived(("model/", b""), ("model/config.json", b"{}"), ("model/onnx/m.onnx", b"x"))) as folder:
        assert folder.names == ["config.json", "onnx/m.onnx"]
        assert folder.read("onnx/m.onnx") == b"x"
        assert folder.size("onnx/m.onnx") == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    (path / "onnx").mkdir(parents=True)
    (path / "onnx/model.onnx").write_bytes(bytes(range(256)) * 10)
    (path / "config.json").write_bytes(b"{}")
    return path


def test_a_folder_is_the_same_packed_as_it_is(folder: Path, tmp_path: Path) -> None:
    with ModelFolder(folder) as plain, ModelFolder(pack(folder, tmp_path / "model.zip")) as packed:
        assert plain.names == packed.names == ["config.json", "onnx/model.onnx"]
        assert "config.json" in packed
        for name in plain.names:
            assert plain.read(name) == packed.read(name)
            assert plain.size(name) == packed.size(name)
        packed.unpack(tmp_path / "unpacked")
    assert (tmp_path / "unpacked/onnx/model.onnx").read_bytes() == (folder / "onnx/model.onnx").read_bytes()


def test_the_same_files_give_the_same_archive_whenever_they_were_written(folder: Path, tmp_path: Path) -> None:
    before = pack(folder, tmp_path / "before.zip").read_bytes()
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    assert pack(folder, tmp_path / "after.zip").read_bytes() == before


def test_a_link_in_a_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "weights.bin").symlink_to("/etc/passwd")
    assert "weights.bin is a link" in refusal(folder)
    with pytest.raises(InvalidModel, match=r"weights\.bin is a link"):
        pack(folder, tmp_path / "model.zip")


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    for number in range(MOST_MEMBERS + 1):
        (tmp_path / str(number)).touch()
    assert f"more than {MOST_MEMBERS} files; is it the folder of one model?" in refusal(tmp_path)
