"""The peers' own virtual environments, .bench/PEER, made the first time that they are asked for."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from pathlib import Path

SILENCE = {
    "DO_NOT_TRACK": "1",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "WHYLOGS_NO_ANALYTICS": "True",
    "TQDM_DISABLE": "1",
}
"""What keeps peers from calling home and from drawing progress bars."""
_ROOT = Path(__file__).parent.parent.parent
_MIB = 1024 * 1024


class PeerMissing(Exception):
    """The peer could not be installed here."""


def interpreter(peer: str) -> Path:
    """The Python of the peer's environment, with the packages of benchmarks/peers/PEER.txt and nothing else.

    A list names what the peer's cases need, at versions that were seen to work together; what else the peer depends
    on stays out, because it can be gigabytes.

    Raises:
        PeerMissing: pip could not install it; the message is pip's last line.
    """
    folder = _ROOT / ".bench" / peer
    python, finished = folder / "bin" / "python", folder / "installed"
    requirements = Path(__file__).parent / f"{peer}.txt"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if finished.exists() and finished.read_text("ascii") == wanted:
        return python
    print(f"installing {peer} into {folder.relative_to(_ROOT)}", file=sys.stderr)
    started = time.monotonic()
    _succeed(peer, [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check"]
    _succeed(peer, [*pip, "install", "--no-deps", "--retries", "1", "--requirement", str(requirements)])
    finished.write_text(wanted, "ascii")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"  {time.monotonic() - started:.0f} s, {size / _MIB:.0f} MB", file=sys.stderr)
    return python


def _succeed(peer: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise PeerMissing(f"{peer}: {said[-1] if said else 'pip failed'}")
