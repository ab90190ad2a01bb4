"""Faults 34 and 35: a run's folder from a stranger holds arrays, or is refused; nothing in it ever runs."""

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tenfold import Run
from tenfold.errors import RunError
from tenfold.learn import backend, networks, runs

keras = backend.load_keras()


@pytest.fixture
def strange(toy_run: Run, tmp_path: Path) -> Path:
    """The path of a model.keras to be; beside it the recipe of a run."""
    (tmp_path / "recipe.json").write_bytes((toy_run.folder / "recipe.json").read_bytes())
    return tmp_path / "model.keras"


def refused(path: Path) -> str:
    with pytest.raises(RunError) as problem:
        Run(path.parent).load_model()
    assert "\n" not in str(problem.value)
    assert "model.keras" in str(problem.value)
    return str(problem.value)


def repacked(source: Path, target: Path, change: Any, method: int = zipfile.ZIP_STORED) -> None:
    """Copy a .keras file; `change` works on its opened weights."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights = io.BytesIO(members["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        change(file)
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in (members | {"model.weights.h5": weights.getvalue()}).items():
            archive.writestr(name, content)


def datasets(file: h5py.File) -> list[h5py.Dataset]:
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, one: found.append(one) if isinstance(one, h5py.Dataset) and one.ndim else None)
    return found


def test_34_a_lambda_in_a_keras_file_never_runs(strange: Path, tmp_path: Path) -> None:
    """The network comes from the checked recipe; what the file says of layers is not looked at."""
    sprung = str(tmp_path / "sprung")
    trap = keras.Sequential([keras.Input((28, 28)), keras.layers.Lambda(lambda x: Path(sprung).mkdir() or x)])
    Path(sprung).rmdir()  # Keras tried the layer out while it was made
    trap.save(strange)
    refused(strange)
    assert not (tmp_path / "sprung").exists()


def test_34_a_path_in_a_keras_file_is_never_looked_up(strange: Path, toy_run: Run, tmp_path: Path) -> None:
    """A config that names a vocabulary file beside right weights: the weights are taken, the config is not read."""
    with zipfile.ZipFile(toy_run.folder / "model.keras") as archive, zipfile.ZipFile(strange, "w") as target:
        target.writestr("config.json", '{"class_name": "StringLookup", "config": {"vocabulary": "/dev/zero"}}')
        target.writestr("model.weights.h5", archive.read("model.weights.h5"))
    assert Run(strange.parent).load_model().count_params() > 0


def test_34_an_array_that_is_declared_only_is_refused_before_memory_is_taken(strange: Path, toy_run: Run) -> None:
    def swell(file: h5py.File) -> None:
        one = datasets(file)[0]
        parent, name = one.parent, one.name.rsplit("/", 1)[1]
        del parent[name]
        parent.create_dataset(name, (2**20, 2**10), "f4", chunks=(1024, 1024), compression="gzip")

    repacked(toy_run.folder / "model.keras", strange, swell)
    assert "bytes of weights, more than 536,870,912; raise TENFOLD_MAX_WEIGHTS_BYTES" in refused(strange)


def test_34_a_member_that_swells_is_refused_before_it_is_unpacked(
    strange: Path, toy_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    repacked(toy_run.folder / "model.keras", strange, lambda file: None, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(strange, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(10**7))
    assert strange.stat().st_size < 10**6
    monkeypatch.setenv("TENFOLD_MAX_WEIGHTS_BYTES", str(10**7))
    assert "more than 10,000,000" in refused(strange)


def test_34_a_pickle_or_an_h5_file_under_another_name_is_refused(strange: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    strange.write_bytes(pickle.dumps(Trap()))
    refused(strange)
    with h5py.File(strange, "w") as file:
        file["x"] = np.zeros(3)
    refused(strange)
    with zipfile.ZipFile(strange, "w") as archive:
        archive.writestr("model.weights.h5", pickle.dumps(Trap()))
    refused(strange)
    assert not (tmp_path / "sprung").exists()


def test_34_weights_that_lie_in_another_file_are_refused(strange: Path, toy_run: Run, tmp_path: Path) -> None:
    """Right as the values may be."""

    def link(file: h5py.File) -> None:
        one = datasets(file)[0]
        parent, name = one.parent, one.name.rsplit("/", 1)[1]
        with h5py.File(tmp_path / "other.h5", "w") as other:
            other["0"] = one[...]
        del parent[name]
        parent[name] = h5py.ExternalLink(str(tmp_path / "other.h5"), "0")

    repacked(toy_run.folder / "model.keras", strange, link)
    refused(strange)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_35_weights_that_are_no_numbers_are_refused(strange: Path, toy_run: Run, value: float) -> None:
    def spoil(file: h5py.File) -> None:
        one = datasets(file)[0]
        one[...] = np.where(np.arange(one.size).reshape(one.shape) == 1, value, one[...])

    repacked(toy_run.folder / "model.keras", strange, spoil)
    assert "holds weights that are no numbers (NaN)" in refused(strange)


def test_35_weights_of_another_shape_are_refused(strange: Path, toy_run: Run) -> None:
    def bend(file: h5py.File) -> None:
        one = datasets(file)[0]
        parent, name, values = one.parent, one.name.rsplit("/", 1)[1], one[...]
        del parent[name]
        parent[name] = values[:-1]

    repacked(toy_run.folder / "model.keras", strange, bend)
    assert "holds no weights for this network" in refused(strange)


def test_35_a_flipped_byte_is_noticed(strange: Path, toy_run: Run) -> None:
    content = bytearray((toy_run.folder / "model.keras").read_bytes())
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.getinfo("model.weights.h5").header_offset + 200
        size = archive.getinfo("model.weights.h5").file_size - 400
    for place in start + rng.integers(0, size, 20):
        harmed = bytearray(content)
        harmed[place] ^= 1 << rng.integers(8)
        strange.write_bytes(harmed)
        refused(strange)


def test_34_the_limit_lets_the_networks_of_every_recipe_in(toy_run: Run) -> None:
    runs.load_weights(networks.build(toy_run.recipe), toy_run.folder / "model.keras")
