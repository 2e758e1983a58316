"""The platform service: datasets, algorithms, images, models, workloads, resources, accounts and billing over one API.

`app` wires everything; `web` and `db` know no module; a module reads another only through its `service`.
"""
