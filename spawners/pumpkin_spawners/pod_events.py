"""Kubernetes' events of a starting pod, in words for the person who waits for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

NOTEBOOK = "notebook"
INPUTS = "inputs"
_CONTAINER = re.compile(r"\{([^}]+)\}")
_ON = re.compile(r" to (\S+)")
_IMAGE = re.compile(r'image "([^"]+)"')


def told(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an event as the platform's are (`id`, `type`, `message`, and `progress` in percent), or None.

    Most say nothing to a person. Warnings nobody has put into words are told as they are: they may be the reason why
    it does not start.
    """
    reason, message = str(event.get("reason") or ""), str(event.get("message") or "")
    progress, words = _words(reason, message, container=_container(event))
    if not words and event.get("type") == "Warning" and message:
        words = f"{reason}: {message}"
    if not words:
        return None
    return {"id": event["metadata"]["uid"], "type": f"pod-{reason}", "message": words, "progress": progress}


def _container(event: Mapping[str, Any]) -> str:
    found = _CONTAINER.search(str(event["involvedObject"].get("fieldPath") or ""))
    return found[1] if found else ""


def _words(reason: str, message: str, *, container: str) -> tuple[int, str]:
    match reason:
        case "Scheduled":
            node = _ON.search(message)
            return 35, f"It has a place on {node[1]}." if node else "It has a place on a node."
        case "FailedScheduling" | "Unschedulable":
            return 0, f"Waiting for a node with room: {message}"
        case "Pulling":
            image = _IMAGE.search(message)
            return 40, f"Fetching the image {image[1]}." if image else "Fetching its image."
        case "Pulled" if container == NOTEBOOK:
            return 60, "The image is on the node."
        case "Started" if container == INPUTS:
            return 50, "Fetching its inputs."
        case "Started" if container == NOTEBOOK:
            return 75, "The server is starting."
        case "Failed" | "InspectFailed" | "ErrImageNeverPull":
            return 0, f"It does not start: {message}"
        case "FailedMount" | "FailedAttachVolume":
            return 0, f"Waiting for a volume: {message}"
        case "NodeNotReady" | "TaintManagerEviction":
            return 0, "Its node was lost."
        case "Evicted" | "Preempted":
            return 0, f"It lost its place: {message}"
        case _:
            return 0, ""
