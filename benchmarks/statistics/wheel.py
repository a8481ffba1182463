"""How large the wheel is: what maturin would pack, deflated, with the extension stripped."""

from __future__ import annotations

import io
import subprocess
import tempfile
import zipfile
from pathlib import Path

from benchmarks.table import Row

LIMIT_BYTES = 1_000_000
_ROOT = Path(__file__).parent.parent.parent


def rows() -> list[Row]:
    """The size of the wheel and how much of it is the extension."""
    whole = _deflated_bytes([file for file in (_ROOT / "edge_aiops").rglob("*") if _is_packed(file)])
    extension = _deflated_bytes(list((_ROOT / "edge_aiops").glob("_stats.*.so")))
    return [
        Row("wheel", f"{whole / 1e6:.2f} MB", target=f"<= {LIMIT_BYTES / 1e6:g} MB", met=whole <= LIMIT_BYTES),
        Row("  of which the extension", f"{extension / 1e6:.2f} MB"),
    ]


def _is_packed(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


def _deflated_bytes(files: list[Path]) -> int:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in files:
            wheel.writestr(str(file.relative_to(_ROOT)), _stripped(file) if file.suffix == ".so" else file.read_bytes())
    return archive.tell()


def _stripped(extension: Path) -> bytes:
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, str(extension)], check=True)
        return Path(stripped.name).read_bytes()
