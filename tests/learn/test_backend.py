import os
import subprocess
import sys
from pathlib import Path

import pytest

from tenfold.errors import UsageError
from tenfold.learn import backend


def test_the_users_backend_is_taken() -> None:
    name, versions = backend.name_and_versions()
    assert name == os.environ["KERAS_BACKEND"]
    assert set(versions) == {"keras", name, "numpy"}


def test_another_backend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(UsageError, match="expected tensorflow or jax"):
        backend.load_keras()


def test_importing_tensorflow_says_nothing() -> None:
    code = "from tenfold.learn import backend; backend.load_keras()"
    env = os.environ | {"KERAS_BACKEND": "tensorflow"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_jax_trains_and_saves_without_tensorflow(tmp_path: Path) -> None:
    code = f"""
import sys
from tenfold.learn import backend, networks, recipes
backend.save(networks.build(recipes.RECIPES["classic"]), {str(tmp_path / "m.keras")!r})
assert "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"KERAS_BACKEND": "jax"}, check=True)
    assert (tmp_path / "m.keras").stat().st_size > 400_000


def test_a_process_of_its_own_leaves_out_what_only_users_of_keras_want() -> None:
    code = """
import gc, sys
from tenfold.learn import backend
backend.own_process()
backend.load_keras()
assert not {"pandas", "matplotlib"} & set(sys.modules)
assert gc.isenabled()
import matplotlib, pandas  # what is left out of Keras is there for others
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_keras_is_loaded_whole_beside_the_code_of_a_user() -> None:
    code = """
import sys
from tenfold.learn import backend
keras = backend.load_keras()
import numpy, pandas
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(loss="mse")
model.fit(pandas.DataFrame({"a": [0.0, 1], "b": [1.0, 0]}), numpy.ones(2), verbose=0)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
