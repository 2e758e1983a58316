"""`%pumpkin` in the kernels of real notebooks: what is submitted there is found again there."""

from __future__ import annotations

from tests.integration.notebooks.conftest import Person
from tests.integration.notebooks.test_environments import jupyter, run_cell


async def test_a_restarted_kernel_finds_the_job_of_its_notebook(person: Person):
    person.spawn(spec="cpu-small")
    person.ready()
    session = jupyter(
        person, "sessions", path="小 train.ipynb", name="小 train.ipynb", type="notebook", kernel={"name": "python3"}
    )
    kernel = session["kernel"]["id"]
    said = await run_cell(
        person,
        kernel,
        "%%pumpkin job --spec cpu-small --name mine --wait\nimport pumpkin\npumpkin.log_metrics(loss=0.5)",
    )
    [mine] = person.api.get("/workloads", params={"kind": "job"}).json()["items"]
    assert mine["phase"] == "succeeded"
    assert mine["id"] in said
    [label] = mine["labels"]
    assert label.startswith("notebook/小-train-")
    jupyter(person, f"kernels/{kernel}/restart", really=True)
    assert mine["id"] in await run_cell(person, kernel, "%pumpkin attach --wait")
    other = jupyter(person, "sessions", path="other.ipynb", name="other.ipynb", type="notebook", kernel={})
    assert "no job from this notebook" in await run_cell(person, other["kernel"]["id"], "%pumpkin attach")
    # Links lead where the browser is, not to the service's own port, which the kernel talks to.
    links = "from IPython.utils.capture import capture_output\nwith capture_output() as c:\n    %pumpkin job mine\n"
    html = await run_cell(person, kernel, links + "print(c.outputs[0].data['text/html'])")
    assert f'href="/services/pumpkin/jobs/{mine["id"]}"' in html
