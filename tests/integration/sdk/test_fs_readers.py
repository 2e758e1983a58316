"""What people read data with, over `pumpkin://`: pandas, pyarrow's datasets, xarray on zarr; the example's loader."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy
import pandas
import pyarrow
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest
import xarray

from pumpkin import Client
from pumpkin.fs import PumpkinFileSystem
from tests.integration.house import House

EXAMPLE = Path(__file__).parents[3] / "examples" / "loader" / "loader.py"


@pytest.fixture(scope="module")
def client(platform: House) -> Iterator[Client]:
    with Client(platform.url, platform.user("reader").token) as made:
        yield made


@pytest.fixture(scope="module")
def options(client: Client) -> dict[str, str]:
    return {"endpoint": client.config.url, "token": client.config.token}


def table(start: int) -> pandas.DataFrame:
    return pandas.DataFrame({"number": range(start, start + 1000), "half": numpy.arange(1000) / 2})


def test_pandas_reads_and_writes(client: Client, options: dict[str, str], tmp_path: Path):
    table(0).to_csv(tmp_path / "t.csv", index=False)
    client.datasets.push(tmp_path, "pandas")
    read = pandas.read_csv("pumpkin://datasets/pandas@1/t.csv", storage_options=options)
    pandas.testing.assert_frame_equal(read, table(0))
    table(5).to_parquet("pumpkin://datasets/pandas/more/t.parquet", storage_options=options)
    read = pandas.read_parquet("pumpkin://datasets/pandas@2/more/t.parquet", storage_options=options)
    pandas.testing.assert_frame_equal(read, table(5))
    assert client.datasets.version("pandas@2").files == 2


def test_pyarrow_reads_a_dataset_of_several_files_and_of_each_what_is_asked_for(
    client: Client, options: dict[str, str], tmp_path: Path
):
    for part in range(4):
        (tmp_path / f"part={part}").mkdir()
        pyarrow.parquet.write_table(
            pyarrow.Table.from_pandas(table(part * 1000)), tmp_path / f"part={part}" / "0.parquet"
        )
    client.datasets.push(tmp_path, "arrow")
    files = pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(PumpkinFileSystem(**options)))
    dataset = pyarrow.dataset.dataset("datasets/arrow@1", filesystem=files, format="parquet", partitioning="hive")
    assert dataset.count_rows() == 4000
    number = pyarrow.dataset.field("number")
    found = dataset.to_table(columns=["number", "part"], filter=(number >= 1998) & (number < 2002)).to_pydict()
    assert found == {"number": [1998, 1999, 2000, 2001], "part": [1, 1, 2, 2]}


def test_xarray_reads_zarr(client: Client, options: dict[str, str], tmp_path: Path):
    values = numpy.arange(24 * 10 * 20, dtype="float32").reshape(24, 10, 20)
    made = xarray.Dataset({"temperature": (("hour", "y", "x"), values)}, coords={"hour": numpy.arange(24)})
    made.to_zarr(tmp_path / "weather.zarr", consolidated=False, encoding={"temperature": {"chunks": (6, 10, 20)}})
    client.datasets.push(tmp_path, "weather")
    where = "pumpkin://datasets/weather@1/weather.zarr"
    read = xarray.open_zarr(where, storage_options=options, chunks=None, consolidated=False)
    assert float(read.temperature.sel(hour=7).mean()) == float(values[7].mean())
    xarray.testing.assert_identical(read.load(), made)


@pytest.fixture
def loader(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("loader", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "loader", module)
    spec.loader.exec_module(module)
    return module


def test_the_loader_yields_every_file_once_in_order_and_shuffled(client: Client, loader: ModuleType, tmp_path: Path):
    files = {f"{number % 10}/{number}.bin": numpy.full(64, number, "int32").tobytes() for number in range(2000)}
    files |= {"same.bin": files["0/0.bin"], "empty": b"", "large.bin": bytes(range(256)) * 10_000}
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(data)
    client.datasets.push(tmp_path, "many")
    packs = loader.Packs(client, "many@1")
    ordered = list(packs)
    assert dict(ordered) == files
    assert len(ordered) == len(files)
    epochs = [list(packs.shuffled(seed=seed, held=2)) for seed in (1, 1, 2)]
    assert all(Counter(epoch) == Counter(ordered) for epoch in epochs)
    assert epochs[0] == epochs[1]
    assert len({tuple(path for path, _ in epoch) for epoch in (ordered, epochs[0], epochs[2])}) == 3
    small = (sample for sample in packs.shuffled(seed=3) if sample[0][0].isdigit())
    arrays = list(loader.batches(small, 256, decode=lambda data: numpy.frombuffer(data, "int32")))
    assert [array.shape for array in arrays] == [(256, 64)] * 7 + [(208, 64)]
    assert sorted(int(row[0]) for array in arrays for row in array) == list(range(2000))


def test_the_loader_takes_no_damaged_file(client: Client, loader: ModuleType, tmp_path: Path):
    (tmp_path / "a").write_bytes(b"hello")
    client.datasets.push(tmp_path, "damaged")
    packs = loader.Packs(client, "damaged@1")
    [found] = packs._packs()
    path, offset, size, _ = found.files[0]
    with pytest.raises(RuntimeError, match="did not arrive"):
        packs._fetch(loader.Pack(found.id, found.page, [(path, offset, size, "0" * 64)]))
