"""The wheel holds the service, all of it, and nothing that tries or measures the service.

`loadtest` writes decisions past their triggers, which no deployment may have at hand. The image
installs the wheel's files, so its recipe is read too.
"""

import subprocess
import sys
import tomllib
from itertools import chain
from zipfile import ZipFile

import pytest

from tests.tidy.source_tree import ROOT, project_files, read

PACKAGES = {"cache", "checker"}


@pytest.fixture(scope="module")
def files_of_wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = folder.iterdir()
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_each_file_of_the_service_and_no_other(files_of_wheel):
    shown = {path.relative_to(ROOT).as_posix() for path in project_files()}
    held = {name for name in files_of_wheel if ".dist-info/" not in name}
    assert held == {name for name in shown if name.partition("/")[0] in PACKAGES}


def test_the_wheel_holds_its_licence(files_of_wheel):
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in files_of_wheel)


def test_each_dependency_has_a_lower_bound():
    project = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]
    named = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    assert [name for name in named if ">=" not in name and "==" not in name.partition(";")[0]] == []


def test_the_image_is_made_of_what_the_wheel_is_made_of():
    copied = [
        line.split()[1:-1] for line in read(ROOT / "Dockerfile").splitlines() if is_copy(line)
    ]
    names = {name for line in copied for name in line}
    assert names == {*PACKAGES, "requirements.lock", "pyproject.toml", "README.md", "LICENSE"}


def is_copy(line):
    """Whether a line of the recipe copies from the checkout, and not from an earlier stage."""
    return line.startswith("COPY ") and "--from" not in line
