"""Keras and its backend: chosen here, before Keras is imported, and nowhere else."""

from __future__ import annotations

import gc
import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from tenfold.errors import MissingExtraError, UsageError

_LIBRARIES = {"tensorflow": "tensorflow", "jax": "jax"}

# What Keras imports if it is there, for data frames and pictures of its own: a third of the time that Keras needs to load.
_ONLY_FOR_KERAS = ("matplotlib", "pandas")
_own_process = False


def own_process() -> None:
    """Say that this process runs a command and no code of a user, before Keras is loaded: it may be loaded in part."""
    global _own_process
    _own_process = True


def load_keras() -> Any:
    """Import Keras on the user's `KERAS_BACKEND`, else on TensorFlow.

    Raises:
        UsageError: the backend is neither tensorflow nor jax.
        MissingExtraError: Keras or the backend is not installed.
    """
    backend = os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend not in _LIBRARIES:
        raise UsageError(f"environment variable KERAS_BACKEND: found {backend!r}, expected tensorflow or jax")
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "0":  # importing JAX sets 1, for this process and those it starts
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    for chatty in ("jax._src.xla_bridge", "tensorflow"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    try:
        with ExitStack() as stack:
            stack.enter_context(_without_collection())
            for name in _ONLY_FOR_KERAS:
                stack.enter_context(_hidden(name, when=_own_process))
            with _quiet_import(_LIBRARIES[backend]), _hidden("jax", when=backend == "tensorflow"):
                import_module(_LIBRARIES[backend])
            return import_module("keras")
    except ModuleNotFoundError as problem:
        raise MissingExtraError("jax,train" if backend == "jax" else "train", problem.name or backend) from problem


@contextmanager
def _without_collection() -> Iterator[None]:
    """Hold back garbage collection: an import makes a million objects that stay, and is a quarter faster without."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def _quiet_import(name: str) -> Iterator[None]:
    """Hold back what a first import writes to standard error, and show it only if the import fails.

    TensorFlow 2.21 writes notes on oneDNN and CUDA from C++, before it looks at TF_CPP_MIN_LOG_LEVEL.
    """
    if name in sys.modules:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            yield
        except Exception:
            held_back.seek(0)
            os.write(terminal, held_back.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def dtype_policy(precision: Literal["float32", "bfloat16"]) -> str:
    """The Keras dtype policy of layers that are trained in this precision: `float32`, or `mixed_bfloat16`.

    Halved numbers are for machines that multiply them faster: a GPU, or on TensorFlow a processor with AMX (three times as
    fast) or AVX-512's instructions for them (up to 1.6 times). Elsewhere they are slower than whole ones: there it is float32.
    """
    return "mixed_bfloat16" if precision == "bfloat16" and _multiplies_bfloat16() else "float32"


@cache
def _multiplies_bfloat16() -> bool:
    if load_keras().backend.backend() == "jax":
        import jax

        return bool(jax.default_backend() != "cpu")
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return True
    try:
        processor = Path("/proc/cpuinfo").read_text()
    except OSError:  # not Linux
        return False
    return " amx_bf16" in processor or " avx512_bf16" in processor


def name_and_versions() -> tuple[str, dict[str, str]]:
    """The backend's name and the versions of what computes."""
    keras = load_keras()
    backend: str = keras.backend.backend()
    return backend, {name: version(name) for name in ("keras", _LIBRARIES[backend], "numpy")}


def save(model: Any, path: Path) -> None:
    """Write a model to a `.keras` file.

    While Keras saves, it asks of each object whether it is one of TensorFlow's, and imports TensorFlow for it. On JAX that
    takes seconds and serves nothing, so there the import fails, as it does where TensorFlow is not installed.
    """
    with _hidden("tensorflow", when=load_keras().backend.backend() != "tensorflow"):
        model.save(path)


@contextmanager
def _hidden(name: str, when: bool) -> Iterator[None]:
    """Let an import of a library fail that is not loaded yet: an optional one of others, of no use here, takes long."""
    if not when or name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # None makes an import fail
    try:
        yield
    finally:
        del sys.modules[name]
