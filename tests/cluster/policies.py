"""What NetworkPolicies allow, decided over the objects themselves, for clusters that store policies but enforce none.

The rules are those of https://kubernetes.io/docs/concepts/services-networking/network-policies/ and of the API
reference of `networking.k8s.io/v1`. Objects are dictionaries as the API gives them. Not modelled: services (ask
about the pods behind them), and that a pod's own node always reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Literal

Object = Mapping[str, Any]
Protocol = Literal["TCP", "UDP", "SCTP"]
Direction = Literal["Ingress", "Egress"]
End = Object | str
"""One end of a connection: a pod, or the address of something that is none."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """The namespaces and policies of a cluster; `allowed` answers for any two ends in or outside it."""

    namespaces: Sequence[Object]
    policies: Sequence[Object]

    def allowed(self, source: End, target: End, port: int, protocol: Protocol = "TCP") -> bool:
        """Tell whether `source` may open a connection: both the source's egress and the target's ingress must allow it.

        A pod's traffic to itself is always allowed; a pod on its node's network is an address like any other.
        """
        if not isinstance(source, str) and source is target:
            return True
        return self._lets(source, target, target, port, protocol, direction="Egress") and self._lets(
            target, source, target, port, protocol, direction="Ingress"
        )

    def _lets(
        self,
        own: End,
        other: End,
        target: End,
        port: int,
        protocol: Protocol,
        *,
        direction: Literal["Ingress", "Egress"],
    ) -> bool:
        if isinstance(own, str) or _on_node(own):
            return True
        isolating = [policy for policy in self.policies if _isolates(policy, own, direction)]
        return not isolating or any(
            _port_matches(_list(rule, "ports"), port, protocol, target)
            and self._peer_matches(_list(rule, "from" if direction == "Ingress" else "to"), policy, other)
            for policy in isolating
            for rule in _list(policy["spec"], direction.lower())
        )

    def _peer_matches(self, peers: Sequence[Object], policy: Object, end: End) -> bool:
        return not peers or any(self._is_peer(peer, policy, end) for peer in peers)

    def _is_peer(self, peer: Object, policy: Object, end: End) -> bool:
        if peer.get("ipBlock"):
            return _in_block(peer["ipBlock"], _address(end))
        if isinstance(end, str) or _on_node(end):
            return False
        if peer.get("namespaceSelector") is None:
            near = _namespace(end) == _namespace(policy)
        else:
            near = matches(peer["namespaceSelector"], self._namespace_labels(_namespace(end)))
        return near and matches(peer.get("podSelector") or {}, _labels(end))

    def _namespace_labels(self, name: str) -> Mapping[str, str]:
        return next(_labels(namespace) for namespace in self.namespaces if namespace["metadata"]["name"] == name)


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Tell whether a label selector selects `labels`: every requirement must hold; an empty one selects everything."""
    wanted: Mapping[str, str] = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(requirement, labels) for requirement in _list(selector, "matchExpressions")
    )


def _holds(requirement: Object, labels: Mapping[str, str]) -> bool:
    value, values = labels.get(requirement["key"]), _list(requirement, "values")
    match requirement["operator"]:
        case "In":
            return value in values
        case "NotIn":  # also of an object without the label
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case other:
            raise ValueError(f"There is no selector operator {other}.")


def _isolates(policy: Object, pod: Object, direction: str) -> bool:
    """A policy isolates the pods it selects, in its own namespace and the directions it names.

    Without `policyTypes` that is ingress, and egress only if it has egress rules.
    """
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return (
        direction in types
        and _namespace(policy) == _namespace(pod)
        and matches(spec.get("podSelector") or {}, _labels(pod))
    )


def _port_matches(ports: Sequence[Object], port: int, protocol: Protocol, target: End) -> bool:
    return not ports or any(
        (rule.get("protocol") or "TCP") == protocol and _number_matches(rule, port, protocol, target) for rule in ports
    )


def _number_matches(rule: Object, port: int, protocol: Protocol, target: End) -> bool:
    wanted = rule.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):  # a name, which only the target pod's containers can give a number
        return (wanted, port, protocol) in _named_ports(target)
    return wanted <= port <= (rule.get("endPort") or wanted)


def _named_ports(target: End) -> set[tuple[str, int, str]]:
    if isinstance(target, str):
        return set()
    containers = [*_list(target["spec"], "containers"), *_list(target["spec"], "initContainers")]
    return {
        (port["name"], port["containerPort"], port.get("protocol") or "TCP")
        for container in containers
        for port in _list(container, "ports")
        if port.get("name")
    }


def _in_block(block: Object, address: str) -> bool:
    if not address:
        return False
    inside = ip_address(address)
    return inside in ip_network(block["cidr"]) and not any(
        inside in ip_network(other) for other in _list(block, "except")
    )


def _address(end: End) -> str:
    return end if isinstance(end, str) else str(end["status"].get("podIP") or "")


def _list(thing: Object, key: str) -> list[Any]:
    return thing.get(key) or []


def _on_node(pod: Object) -> bool:
    return bool(pod["spec"].get("hostNetwork"))


def _namespace(thing: Object) -> str:
    return thing["metadata"]["namespace"]


def _labels(thing: Object) -> Mapping[str, str]:
    return thing["metadata"].get("labels") or {}
