"""Models that are folders: read from a zip archive without unpacking it, or from a folder.

An artifact is one file; a folder travels as a zip archive. What its headers say is not believed: members are counted,
names may not lead out of the folder, links are refused, and nothing is read beyond the size that was declared.
"""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath
from types import TracebackType

from edge_aiops.base.errors import InvalidModel

MOST_MEMBERS = 1_000
MOST_RATIO = 20
"""By how much a member may grow when it is unpacked; weights hardly shrink at all."""

_SMALL_BYTES = 1024 * 1024
"""Small files, such as vocabularies, may shrink more."""
_CHUNK_BYTES = 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


class ModelFolder:
    """The files of a model by their names within it, with `/` between folders; a context that closes the archive.

    A single folder that an archive holds everything in is left out of the names.
    """

    def __init__(self, path: Path) -> None:
        """`path`: a folder, or a zip archive of one. Raises `InvalidModel` for what is neither, and for an archive
        that nobody packs in good faith."""
        self._path = path
        self._archive: zipfile.ZipFile | None = None
        if path.is_dir():
            self._members: dict[str, zipfile.ZipInfo | None] = dict.fromkeys(_names_in(path))
            return
        try:
            archive = self._archive = zipfile.ZipFile(path)
        except Exception as error:
            # BadZipFile and OSError, but also what parts of zipfile happen to raise over damage.
            raise InvalidModel(f"the artifact is neither a folder nor a zip archive of one: {error}") from error
        try:
            self._members = _checked_members(archive)
        except BaseException:
            archive.close()
            raise

    @property
    def names(self) -> list[str]:
        """Every file, sorted."""
        return sorted(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def size(self, name: str) -> int:
        """Bytes of a file, as declared."""
        member = self._members[name]
        return (self._path / name).stat().st_size if member is None else member.file_size

    def read(self, name: str) -> bytes:
        """The content of a file. Raises `InvalidModel` where there is none of that name, or it is damaged."""
        if name not in self._members:
            raise InvalidModel(f"the model has no file {name!r}; it has: {', '.join(self.names[:20])}")
        member = self._members[name]
        if member is None or self._archive is None:
            return (self._path / name).read_bytes()
        try:
            with self._archive.open(member) as file:
                # Never more than was declared, whatever the compressed data unfold to.
                return file.read(member.file_size)
        except Exception as error:
            # Every kind of compression has errors of its own.
            raise InvalidModel(f"{name} cannot be read from the archive: {error}") from error

    def unpack(self, destination: Path) -> None:
        """Write every file under `destination`, a folder, for a framework that reads folders only."""
        for name in self.names:
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.read(name))

    def __enter__(self) -> ModelFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._archive is not None:
            self._archive.close()


def pack(folder: Path, archive: Path) -> Path:
    """`archive`, after the files of `folder` were packed into it: the same files give the same bytes.

    Raises `InvalidModel` for a link in the folder, or too many files.
    """
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for name in _names_in(folder):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            with (folder / name).open("rb") as source, packed.open(member, "w", force_zip64=True) as target:
                while chunk := source.read(_CHUNK_BYTES):
                    target.write(chunk)
    return archive


def _names_in(folder: Path) -> list[str]:
    names = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise InvalidModel(f"{path.relative_to(folder)} is a link; a model's folder holds files")
        if path.is_file():
            names.append(path.relative_to(folder).as_posix())
        if len(names) > MOST_MEMBERS:
            raise InvalidModel(f"{folder.name} holds more than {MOST_MEMBERS} files; is it the folder of one model?")
    return names


def _checked_members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo | None]:
    if len(archive.infolist()) > MOST_MEMBERS:
        raise InvalidModel(f"the archive has more than {MOST_MEMBERS} members; a model's folder has fewer")
    members: dict[str, zipfile.ZipInfo | None] = {}
    for member in archive.infolist():
        if member.orig_filename.endswith("/"):
            continue
        _check(member)
        if member.filename in members:
            raise InvalidModel(f"the archive has {member.filename[:80]!r} twice")
        members[member.filename] = member
    tops = {PurePosixPath(name).parts[0] for name in members}
    if len(tops) == 1 and all("/" in name for name in members):
        return {name.partition("/")[2]: member for name, member in members.items()}
    return members


def _check(member: zipfile.ZipInfo) -> None:
    # `orig_filename` is what the archive says: zipfile cuts names at NUL.
    name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
    parts = name.split("/")
    if not name or "\\" in name or "\0" in name or ":" in parts[0] or {"", ".", ".."} & set(parts):
        raise InvalidModel(f"the archive has a member named {name[:80]!r}, which leads out of the folder")
    if kind not in (0, stat.S_IFREG):
        raise InvalidModel(f"the archive's member {name[:80]!r} is a link or a device; pack files only")
    if member.flag_bits & 1:
        raise InvalidModel(f"the archive's member {name[:80]!r} is encrypted")
    if member.file_size > max(MOST_RATIO * member.compress_size, _SMALL_BYTES):
        raise InvalidModel(f"the archive's member {name[:80]!r} unfolds to more than {MOST_RATIO} times its size")
