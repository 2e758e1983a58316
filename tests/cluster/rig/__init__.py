"""A real Kubernetes with Volcano on this machine, for the tests of this folder: `python -m tests.cluster.rig --help`.

Needs root, and Debian's packages that `make cluster-up` installs. What it builds and keeps lies in `PUMPKIN_RIG`
(`~/.cache/pumpkin-rig` unless set; keep it short, sockets live below it): 1 GB of programs and 3 GB of images, beside
Go's own caches. One at a time: its bridge, its addresses and the kubelet's device plugins have fixed places.

Pods reach what listens on the machine at HOST. Network policies are stored, not enforced. Without Volcano's webhooks,
which are an option, jobs name their queue, scheduler and minAvailable themselves. Volcano follows edits of
`scheduler.yaml` in that folder, until the next `up`.
"""
