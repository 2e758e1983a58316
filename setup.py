"""One distribution, four packages: the Hub's configuration, the spawners, the platform service, the user's side.

The extras say who needs what: `hub` runs JupyterHub, `service` runs the platform, `notebook` is what a
user's own process loads, `dev` is what the tests and checks need. A bare install is the SDK and the CLI.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOTS = ("hub_config", "spawners", "services", "extensions")
packages = {name: root for root in ROOTS for name in find_packages(root)}

sdk = ["click>=8.2", "fsspec>=2025.3", "httpx>=0.28", "pydantic>=2.14", "pyfastcdc>=0.3.1", "pyyaml>=6", "rich>=14"]
hub = [
    "jupyterhub==6.1.1",
    "jupyterhub-kubespawner==7.1.0",
    "jupyterhub-nativeauthenticator==1.3.0",
    "oauthenticator==17.4.0",
    "psutil>=7",
]
service = [
    "aiosqlite>=0.21",
    "alembic==1.20.1",
    "backports.zstd>=1; python_version < '3.14'",
    "cronsim==2.8",
    "cryptography>=45",
    "httpcore>=1.0.9",
    "jinja2>=3.1",
    "jupyterhub==6.1.1",
    "kubernetes==37.0.2",
    "markupsafe>=3",
    "minio==7.2.20",
    "nvidia-ml-py>=12",
    "packaging>=25",
    "psutil>=7",
    "pyfastcdc>=0.3.1",
    "sqlalchemy[asyncio]==2.1.9",
    "tensorboard>=2.20",
    "tornado==6.6.1",
    "traitlets>=5.14",
    "tzdata",
    "uv>=0.13",
]
notebook = [
    "ipykernel>=7",
    "ipywidgets==8.1.9",
    "jupyter-server==2.21.1",
    "jupyterhub==6.1.1",
    "jupyterlab==4.6.6",
    "jupyterlab-language-pack-zh-CN",
    "nbclient>=0.10",
]
dev = [
    "asyncmy",
    "asyncpg",
    "babel",
    "build",
    "datamodel-code-generator",
    "hypothesis",
    "import-linter",
    "pandas",
    "playwright==1.65",
    "pyarrow",
    "pre-commit",
    "pyjwt",
    "pyright",
    "pexpect",
    "pytest",
    "pytest-asyncio",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "schemathesis",
    "scikit-learn",
    "xarray",
    "zarr",
]

setup(
    name="pumpkin-platform",
    version="0.1.0",
    description="An AI computing platform centred on JupyterHub: data, algorithms, images, models, jobs and compute",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="BSD-3-Clause",
    python_requires=">=3.11",
    packages=sorted(packages),
    package_dir={name: f"{root}/{name.replace('.', '/')}" for name, root in packages.items()},
    # Templates, pages, migrations, the proxy's lock file: all that lies in a package belongs to it.
    package_data={"": ["**/*", "**/.npmrc"]},
    exclude_package_data={"": ["*__pycache__*", "*node_modules*"]},
    include_package_data=False,
    install_requires=sdk,
    extras_require={
        "hub": hub,
        "service": service,
        "notebook": notebook,
        "all": sorted({*hub, *service, *notebook}),
        "dev": sorted({*hub, *service, *notebook, *dev}),
    },
    entry_points={
        "console_scripts": ["pumpkin=pumpkin.cli:main"],
        "fsspec.specs": ["pumpkin=pumpkin.fs.PumpkinFileSystem"],
        "jupyterlab.locale": ["pumpkin=pumpkin_server"],
    },
    # Any Jupyter server of the same prefix gets the Lab's door to the platform.
    data_files=[
        (
            "etc/jupyter/jupyter_server_config.d",
            ["spawners/pumpkin_spawners/notebook/config/jupyter_server_config.d/pumpkin_server.json"],
        )
    ],
)
