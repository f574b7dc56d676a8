"""The files in deploy/ and compose.yaml are valid, hardened, and name variables that are read.

No engine for containers is needed: schemas of Kubernetes and a strict reader of compose files come
from PyPI, and systemd's own program reads the unit where it is installed.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import pytest
import yaml

from checker.cli.main import COMMANDS
from checker.serving.listening import BACKLOG

ROOT = Path(__file__).parents[3]
KUBERNETES = sorted((ROOT / "deploy" / "kubernetes").glob("*.yaml"))
# The oldest version of Kubernetes that still gets mends, and the newest one.
VERSIONS = ("1.34", "1.37")
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
UNIT = ROOT / "deploy" / "systemd" / "checker.service"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXPOSURE_MAX = 2.0
USER = 10001


def documents() -> list[dict[str, Any]]:
    texts = [path.read_text(encoding="utf-8") for path in KUBERNETES]
    return [each for text in texts for each in yaml.safe_load_all(text)]


@pytest.fixture(scope="module")
def by_kind() -> dict[str, dict[str, Any]]:
    return {each["kind"]: each for each in documents()}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(COMPOSE)["services"]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_each_object_of_kubernetes_keeps_its_strict_schema(version: str) -> None:
    for each in documents():
        kubernetes_validate.validate(each, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    wrong = documents()[0] | {"automountServiceAccountTokens": False}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_each_pod_runs_as_nobody_in_particular_with_nothing_to_write() -> None:
    found = pods()
    assert len(found) == 3
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == USER
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            own = container["securityContext"]
            assert own["readOnlyRootFilesystem"]
            assert not own["allowPrivilegeEscalation"]
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert "limits" in container["resources"]
            assert container["args"][0] in COMMANDS


def pods() -> list[dict[str, Any]]:
    kinds = {"Deployment", "Job"}
    return [each["spec"]["template"]["spec"] for each in documents() if each["kind"] in kinds]


def test_service_budget_and_autoscaler_are_about_the_nodes(
    by_kind: dict[str, dict[str, Any]],
) -> None:
    deployment = by_kind["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert by_kind["Service"]["spec"]["selector"] == labels
    assert by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    target = by_kind["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert target["name"] == deployment["metadata"]["name"]
    assert by_kind["Job"]["spec"]["template"]["metadata"]["labels"] != labels
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()


def test_the_example_of_a_secret_holds_none(by_kind: dict[str, dict[str, Any]]) -> None:
    content = by_kind["Secret"]["stringData"]
    assert {*content.values()} == {""}
    files = ("deployment_secrets.py", "config.py")
    source = "".join((ROOT / "checker" / file).read_text() for file in files)
    assert {name for name in content if f'"{name}"' not in source} == set()


def test_compose_reads_the_file_and_finds_a_misspelt_key() -> None:
    read = compose_spec.PyCompose.from_yaml(resolved(COMPOSE))
    names = {"checker-1", "checker-2", "postgres", "redis", "prometheus", "grafana"}
    assert {*read.service_names()} == names
    with pytest.raises(ValueError, match="read_onyl"):
        compose_spec.PyCompose.from_yaml(resolved(COMPOSE).replace("read_only", "read_onyl"))


def resolved(text: str) -> str:
    """Write anchors and merges out, as compose does before it reads the file."""
    return yaml.safe_dump(yaml.safe_load(text))


def test_the_nodes_of_compose_are_two_and_hardened(services: dict[str, Any]) -> None:
    nodes = [services["checker-1"], services["checker-2"]]
    for node in nodes:
        assert node["read_only"]
        assert node["cap_drop"] == ["ALL"]
        assert node["sysctls"] == {"net.core.somaxconn": BACKLOG}
    assert nodes[0]["ports"] != nodes[1]["ports"]
    assert "noeviction" in " ".join(services["redis"]["command"])


def test_compose_holds_no_secret_and_starts_with_none_missing(services: dict[str, Any]) -> None:
    variables = {
        name: str(value) for each in services.values() for name, value in environment(each).items()
    }
    secret = {name: value for name, value in variables.items() if is_secret(name)}
    assert len(secret) == 8, "each has the variable of an operator, without a default"
    assert {
        name for name, value in secret.items() if not re.search(r"\$\{\w+:\?\}", value)
    } == set()


def environment(service: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = service.get("environment", {})
    return found


def is_secret(name: str) -> bool:
    return bool(re.search(r"KEY|PASSWORD|AUTH|_URL", name))


def test_each_file_that_compose_mounts_is_there(services: dict[str, Any]) -> None:
    mounted = {
        volume.partition(":")[0]
        for each in services.values()
        for volume in each.get("volumes", ())
        if volume.startswith("./")
    }
    assert len(mounted) == 6
    assert {name for name in mounted if not (ROOT / name).exists()} == set()


def test_the_image_runs_as_the_user_of_the_manifests_and_has_no_compiler() -> None:
    assert f"USER {USER}:{USER}" in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    assert "--only-binary :all:" in DOCKERFILE
    assert "apt-get" not in DOCKERFILE
    assert DOCKERFILE.count("\nFROM ") == 2


def test_systemd_takes_the_unit_and_finds_it_hardened(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        return
    here = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    # The program of the unit must be there. The user and the variables are the operator's.
    here.write_text(text.replace("/opt/checker/bin/checker", "/bin/true"))
    verified = subprocess.run([program, "verify", here], capture_output=True, text=True, check=True)
    assert verified.stderr == ""
    command = [program, "security", "--offline=yes", here]
    exposure = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    [level] = re.findall(r"exposure level for \S+: ([0-9.]+)", exposure)
    assert float(level) <= EXPOSURE_MAX
