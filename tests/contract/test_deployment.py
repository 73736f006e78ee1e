"""What platforms read: Kubernetes resources by the published schemas, and rules and panels over metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gandl_embedding.metrics
import kubernetes_validate
import pytest
import yaml
from gandl_analysis.api.metrics import WorkMetrics
from gandl_shared.web.metrics import RequestCounts
from prometheus_client import CollectorRegistry

DEPLOY = Path(__file__).parents[2] / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
KUBERNETES = "1.30"
SECRETS = {"database-url", "broker-url", "api-key", "embedding-api-key", "valkey-password"}


def resources(folder: Path = BASE) -> Iterator[dict[str, Any]]:
    for name in yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]:
        if name.endswith(".yaml"):
            yield from yaml.safe_load_all((folder / name).read_text())


RESOURCES = list(resources())


def label(resource: dict[str, Any]) -> str:
    return f"{resource['kind']}-{resource['metadata']['name']}"


@pytest.mark.parametrize("resource", RESOURCES, ids=label)
def test_resources_fit_the_published_schemas(resource: dict[str, Any]) -> None:
    kubernetes_validate.validate(resource, KUBERNETES, strict=True)


def test_every_file_of_the_base_is_in_it() -> None:
    assert {path.name for path in BASE.glob("*.yaml")} - {"kustomization.yaml"} == set(
        yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    )


def containers() -> list[dict[str, Any]]:
    pods = [r["spec"]["template"]["spec"] for r in RESOURCES if r["kind"] == "Deployment"]
    assert all(pod["securityContext"]["runAsNonRoot"] for pod in pods)
    return [container for pod in pods for container in pod["containers"]]


def test_no_container_has_more_rights_than_it_needs() -> None:
    for container in containers():
        security = container["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert security["readOnlyRootFilesystem"] is True
        assert security["allowPrivilegeEscalation"] is False
        assert container["resources"]["limits"]["memory"]


def test_passwords_come_from_one_secret_and_have_no_default() -> None:
    keys = {
        each["valueFrom"]["secretKeyRef"]["key"]
        for container in containers()
        for each in container.get("env", ())
        if "valueFrom" in each
    }
    assert keys == SECRETS
    page = (DEPLOY.parent / "docs" / "operations.md").read_text()
    assert all(f"--from-literal={key}=" in page for key in SECRETS)
    # Kubernetes puts $(NAME) into the command itself, which every list of processes shows; a shell reads $NAME.
    assert not any(
        "$(" in word
        for container in containers()
        for word in [*container.get("command", ()), *container.get("args", ())]
    )


def test_selectors_lead_to_pods() -> None:
    apps = {r["metadata"]["name"] for r in RESOURCES if r["kind"] == "Deployment"}
    for resource in RESOURCES:
        if resource["kind"] in ("Service", "PodDisruptionBudget"):
            selector = resource["spec"]["selector"]
            assert (selector.get("matchLabels") or selector)["app"] in apps
        if resource["kind"] == "HorizontalPodAutoscaler":
            assert resource["spec"]["scaleTargetRef"]["name"] in apps


def test_the_overlay_with_a_gpu_changes_the_embedding_service() -> None:
    overlay = yaml.safe_load((DEPLOY / "kubernetes" / "gpu" / "kustomization.yaml").read_text())
    patch = yaml.safe_load((DEPLOY / "kubernetes" / "gpu" / overlay["patches"][0]["path"]).read_text())
    assert patch["metadata"]["name"] == "embedding"
    assert patch["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"] == {"nvidia.com/gpu": "1"}


def test_services_start_as_in_the_compose_file() -> None:
    services = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]
    for container in containers():
        if container["name"] != "valkey":
            assert container["command"] == services[container["name"]]["command"]


def test_workers_are_ready_when_they_take_messages_as_in_the_compose_file() -> None:
    services = yaml.safe_load((DEPLOY.parent / "docker-compose.yml").read_text())["services"]
    for container in containers():
        if container["name"].endswith("worker"):
            variables = {each["name"]: each.get("value") for each in container["env"]}
            (heartbeat,) = (value for name, value in variables.items() if name.endswith("_HEARTBEAT"))
            command = services[container["name"]]["healthcheck"]["test"][1]
            assert container["readinessProbe"]["exec"]["command"] == ["sh", "-c", command]
            assert heartbeat in command


def test_the_ingress_leads_to_the_embedding_service_as_the_gateway_does() -> None:
    ingress = next(resource for resource in RESOURCES if resource["kind"] == "Ingress")
    backends = {path["path"]: path["backend"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}
    embedding = {path for path, backend in backends.items() if backend["service"]["name"] == "embedding"}
    pattern = re.search(r"~\^/\(([^)]*)\)\(/\|\$\)   embedding;", (DEPLOY.parent / "nginx.conf").read_text())
    assert pattern is not None
    assert embedding == {f"/{name}" for name in pattern[1].split("|")}


def test_volumes_are_claims_that_exist_and_batches_stay_when_a_pod_ends() -> None:
    claims = {r["metadata"]["name"]: r["spec"] for r in RESOURCES if r["kind"] == "PersistentVolumeClaim"}
    volumes: dict[str, dict[str, str]] = {}
    for resource in RESOURCES:
        if resource["kind"] == "Deployment":
            pod = resource["spec"]["template"]["spec"]
            claimed = {v["name"]: v["persistentVolumeClaim"] for v in pod["volumes"] if "persistentVolumeClaim" in v}
            assert {claim["claimName"] for claim in claimed.values()} <= claims.keys()
            for container in pod["containers"]:
                mounts = container["volumeMounts"]
                volumes[container["name"]] = {m["mountPath"]: m["name"] for m in mounts if m["name"] in claimed}
    embedding = next(container for container in containers() if container["name"] == "embedding")
    folder = next(each["value"] for each in embedding["env"] if each["name"] == "GANDL_EMBEDDING_BATCHES_DIR")
    assert volumes["embedding"][folder] == "batches"
    assert claims["batches"]["accessModes"] == ["ReadWriteMany"]


def metrics() -> set[str]:
    """The names of all series that our services export."""
    registry = CollectorRegistry()
    RequestCounts(registry)
    gandl_embedding.metrics.RunMetrics(registry, lambda: 0.0)
    registry.register(WorkMetrics(lambda: None))
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    described = [*registry.collect(), *WorkMetrics(lambda: None).describe()]
    return {family.name + suffix for family in described for suffix in suffixes.get(family.type, ("",))}


def expressions() -> Iterator[str]:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "gandl.rules.yml").read_text())
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    dashboard = json.loads((DEPLOY / "grafana" / "gandl.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    yield from (
        metric["external"]["metric"]["name"]
        for resource in RESOURCES
        if resource["kind"] == "HorizontalPodAutoscaler"
        for metric in resource["spec"]["metrics"]
    )


def test_rules_and_panels_ask_for_metrics_that_exist() -> None:
    names = {name for text in expressions() for name in re.findall(r"\bgandl_\w+", text)}
    assert names
    assert names - metrics() == set()


def test_every_alert_has_its_paragraph() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "gandl.rules.yml").read_text())
    page = (DEPLOY.parent / "docs" / "operations.md").read_text()
    for group in rules["groups"]:
        assert all(f"`{rule['alert']}`" in page for rule in group["rules"])
