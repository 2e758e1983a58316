"""The evaluator of NetworkPolicies against the documented semantics, one row each."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from tests.cluster.policies import Network, matches


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}}}


def pod(space: str, ip: str, *, ports: list[dict[str, Any]] | None = None, host: bool = False, **labels: str) -> Any:
    return {
        "metadata": {"namespace": space, "labels": labels},
        "spec": {"hostNetwork": host, "containers": [{"name": "main", "ports": ports or []}]},
        "status": {"podIP": ip},
    }


def policy(space: str = "a", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": space}, "spec": {"podSelector": {}, **spec}}


SPACES = [namespace("a", team="red"), namespace("b", team="blue")]
WEB = pod("a", "10.0.0.1", app="web", ports=[{"name": "http", "containerPort": 8080}])
JOB = pod("a", "10.0.0.2", app="job")
FAR = pod("b", "10.0.1.1", app="job")
NODE = pod("b", "192.168.0.7", host=True, app="job")
DENY = policy(policyTypes=["Ingress", "Egress"])


def ingress(*rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return policy(policyTypes=["Ingress"], ingress=list(rules), **spec)


def egress(*rules: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return policy(policyTypes=["Egress"], egress=list(rules), **spec)


def to(**peer: Any) -> dict[str, Any]:
    return {"to": [peer]}


def by(**peer: Any) -> dict[str, Any]:
    return {"from": [peer]}


def labelled(**labels: str) -> dict[str, Any]:
    return {"matchLabels": labels}


def http(port: int | str) -> dict[str, Any]:
    return {"ports": [{"port": port}]}


FAR_BY_NAME = policy("b", policyTypes=["Egress"], egress=[http("http")])
EITHER = {"from": [{"namespaceSelector": labelled(team="blue")}, {"podSelector": labelled(app="web")}]}
NOT_METADATA = to(ipBlock={"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]})
BLUE = by(namespaceSelector=labelled(team="blue"))
WEBS = by(namespaceSelector={}, podSelector=labelled(app="web"))
EIGHT = to(ipBlock={"cidr": "8.8.0.0/16"})

Port = int | tuple[int, Literal["UDP"]]
TABLE: list[tuple[str, list[Any], Any, Any, Port, bool]] = [
    ("without policies everything is allowed", [], FAR, WEB, 80, True),
    ("default deny of ingress", [ingress()], FAR, WEB, 80, False),
    ("default deny of egress", [egress()], WEB, FAR, 80, False),
    ("deny of ingress leaves egress alone", [ingress()], WEB, FAR, 80, True),
    ("a policy is about its own namespace", [ingress()], WEB, FAR, 80, True),
    ("it isolates only what it selects", [ingress(podSelector=labelled(app="job"))], FAR, WEB, 80, True),
    ("an empty rule allows all", [ingress({})], FAR, WEB, 80, True),
    ("rules of several policies add up", [DENY, ingress({}), egress({})], JOB, WEB, 80, True),
    ("ingress alone is not enough under deny of egress", [DENY, ingress({})], JOB, WEB, 80, False),
    ("egress alone is not enough under deny of ingress", [DENY, egress({})], JOB, WEB, 80, False),
    ("a pod reaches itself", [DENY], WEB, WEB, 8080, True),
    ("types default to ingress", [policy(ingress=[])], WEB, FAR, 80, True),
    ("types default to egress too where rules are", [policy(egress=[to(podSelector={})])], WEB, FAR, 80, False),
    ("a pod selector means the policy's namespace", [ingress(by(podSelector={}))], FAR, WEB, 80, False),
    ("a pod selector finds a neighbour", [ingress(by(podSelector=labelled(app="job")))], JOB, WEB, 80, True),
    ("a namespace selector means all its pods", [ingress(BLUE)], FAR, WEB, 80, True),
    ("an empty namespace selector means all", [ingress(by(namespaceSelector={}))], FAR, WEB, 80, True),
    ("both selectors of one peer must hold", [ingress(WEBS)], FAR, WEB, 80, False),
    ("of two peers one is enough", [ingress(EITHER)], FAR, WEB, 80, True),
    ("selectors never mean an address", [ingress(by(namespaceSelector={}))], "8.8.8.8", WEB, 80, False),
    ("a block means addresses in it", [egress(EIGHT)], WEB, "8.8.4.4", (53, "UDP"), True),
    ("a block means none outside it", [egress(EIGHT)], WEB, "9.9.9.9", (53, "UDP"), False),
    ("nor an exception of it", [egress(NOT_METADATA)], WEB, "169.254.169.254", 80, False),
    ("a block means pods by address too", [egress(to(ipBlock={"cidr": "10.0.1.0/24"}))], WEB, FAR, 80, True),
    ("a block of version 6 means no address of 4", [egress(to(ipBlock={"cidr": "::/0"}))], WEB, "8.8.4.4", 80, False),
    ("a pod of the node's network is no pod to selectors", [ingress(by(namespaceSelector={}))], NODE, WEB, 80, False),
    ("and no policy isolates it", [policy("b", policyTypes=["Egress"])], NODE, WEB, 80, True),
    ("a port is that port", [ingress(http(80))], FAR, WEB, 80, True),
    ("and no other", [ingress(http(80))], FAR, WEB, 81, False),
    ("the protocol defaults to TCP", [ingress({"ports": [{"port": 53}]})], FAR, WEB, (53, "UDP"), False),
    ("a protocol without port is every port", [ingress({"ports": [{"protocol": "UDP"}]})], FAR, WEB, (53, "UDP"), True),
    ("a range includes its end", [ingress({"ports": [{"port": 80, "endPort": 90}]})], FAR, WEB, 90, True),
    ("and nothing beyond it", [ingress({"ports": [{"port": 80, "endPort": 90}]})], FAR, WEB, 91, False),
    ("a name is the target's port", [ingress(http("http"))], FAR, WEB, 8080, True),
    ("and no port it does not have", [ingress(http("http"))], FAR, WEB, 80, False),
    ("a name in egress is the target's too", [FAR_BY_NAME], FAR, WEB, 8080, True),
    ("a name means nothing for an address", [egress(http("http"))], WEB, "8.8.4.4", 80, False),
    ("ports and peers of a rule must both hold", [ingress(by(podSelector={}) | http(80))], FAR, WEB, 80, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policies", "source", "target", "port", "answer"), [pytest.param(*row[1:], id=row[0]) for row in TABLE]
)
def test_what_the_documentation_says(policies: list[Any], source: Any, target: Any, port: Port, answer: bool) -> None:
    network = Network(namespaces=SPACES, policies=policies)
    number, protocol = port if isinstance(port, tuple) else (port, "TCP")
    assert network.allowed(source, target, number, protocol) is answer


@pytest.mark.parametrize(
    ("requirement", "labels", "answer"),
    [
        ({"operator": "In", "values": ["x"]}, {"k": "x"}, True),
        ({"operator": "In", "values": ["x"]}, {}, False),
        ({"operator": "NotIn", "values": ["x"]}, {"k": "x"}, False),
        ({"operator": "NotIn", "values": ["x"]}, {}, True),
        ({"operator": "Exists"}, {"k": ""}, True),
        ({"operator": "Exists"}, {}, False),
        ({"operator": "DoesNotExist"}, {"k": "x"}, False),
        ({"operator": "DoesNotExist"}, {}, True),
    ],
)
def test_expressions_of_selectors(requirement: dict[str, Any], labels: dict[str, str], answer: bool) -> None:
    assert matches({"matchExpressions": [{"key": "k", **requirement}]}, labels) is answer


def test_every_requirement_of_a_selector_must_hold() -> None:
    selector = {"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]}
    assert matches(selector, {"a": "1", "b": "2"})
    assert not matches(selector, {"a": "1"})
    assert not matches(selector, {"b": "2"})
