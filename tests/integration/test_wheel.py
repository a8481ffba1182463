"""What is published is the wheel: it works without the source tree."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST_BYTES = 2_500_000

# The first test builds the extension, with all optimisations.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels of the core and of the ONNX plugin, built as `make wheel` does."""
    folder = tmp_path_factory.mktemp("dist")
    run("maturin", "build", "--release", "--out", str(folder), cwd=ROOT)
    plugin = str(ROOT / "plugins/edge-aiops-onnx")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), plugin)
    return folder


@pytest.fixture(scope="module")
def site(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to import from with nothing of ours but the installed wheels."""
    folder = tmp_path_factory.mktemp("site")
    files = [str(wheel) for wheel in wheels.glob("*.whl")]
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), *files)
    return folder


def run(*command: str, cwd: Path | None = None, site: Path | None = None) -> str:
    """What the command printed; it must succeed."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path} | ({"PYTHONPATH": str(site)} if site else {})
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_wheel_serves_every_python_from_3_11_on(wheels: Path) -> None:
    (wheel,) = wheels.glob("edge_aiops-*.whl")
    assert "-cp311-abi3-" in wheel.name
    assert wheel.stat().st_size < LARGEST_BYTES
    names = zipfile.ZipFile(wheel).namelist()
    assert "edge_aiops/cli/compare/page.css" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "plugins/", "rust_stats/"))]


def test_the_extension_of_the_wheel_computes(site: Path, tmp_path: Path) -> None:
    program = (
        "import edge_aiops, numpy; from edge_aiops.stats.summaries import moments; "
        "print(edge_aiops.__file__, moments(numpy.arange(5.0)).mean)"
    )
    imported_from, mean = run(sys.executable, "-c", program, cwd=tmp_path, site=site).split()
    assert Path(imported_from).is_relative_to(site)
    assert float(mean) == 2.0


@pytest.mark.soak
def test_the_installed_wheels_tell_the_whole_demo(site: Path, tmp_path: Path, datasets_folder: Path) -> None:
    command = (sys.executable, "-m", "edge_aiops", "demo", "--datasets", str(datasets_folder), "--no-serve")
    told = run(*command, "--port", "0", cwd=tmp_path, site=site)
    assert "car-loans" in told
