"""A model: one ONNX file that explains itself. Loads and checks it, and runs it over glyphs.

Knows nothing of pictures; a file from a stranger can be refused here but never runs code.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tenfold import limits
from tenfold.errors import ModelError, of_system
from tenfold.read import anatomy

KIND = "tenfold digit classifier"
_PLAIN = ("kind", "version", "graph_sha256")  # metadata that are text; all others are JSON
_NEARLY_ONE = 1e-3  # how far ten probabilities may be from 1 together
_BATCH = 32  # glyphs a call: what the hidden layers answer stays in the cache of a core


class Model:
    """A digit classifier on ONNX Runtime.

    Attributes:
        name: where it came from, for messages.
        metadata: what the file says of itself; see docs/design.md, Models.
    """

    def __init__(self, content: bytes, name: str, threads: int = 0) -> None:
        """Load a model.

        Args:
            content: the bytes of the ONNX file.
            name: what to call it in messages.
            threads: how many threads compute; 0 leaves it to ONNX Runtime.

        Raises:
            ModelError: not an ONNX model, one with another interface, with operators or data that reading digits does not need,
                over the size limit, or damaged: its checksum is wrong, or it does not answer with probabilities.
        """
        allowed = limits.from_environment().max_model_bytes
        if len(content) > allowed:
            raise ModelError(f"model {name}: more than {allowed:,} bytes; raise TENFOLD_MAX_MODEL_BYTES if that is right")
        if said := anatomy.fault(content):
            raise ModelError(f"model {name}: {said}; expected a single ONNX file that tenfold has made")
        try:
            self._session = session(content, threads)
        except Exception as problem:  # ONNX Runtime raises a dozen unrelated types for a file it cannot use
            raise ModelError(
                f"model {name}: not usable as ONNX ({_first_line(problem)}); expected a tenfold model"
            ) from problem
        self.name = name
        self._made_of = content, name, threads
        try:
            self._check_interface()
            self.metadata = self._read_metadata()
        except UnicodeDecodeError as problem:
            raise ModelError(f"model {name}: names or metadata that are not UTF-8; expected a tenfold model") from problem
        self._check_graph(content)
        self.temperature: float = self._positive("temperature", 1.0)
        self.threshold: float | None = self._threshold()
        self._check_answers()

    def probabilities(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's own answer to glyphs, uint8 (N, 28, 28): float32 (N, 10), before calibration.

        Raises:
            ModelError: the answer is no probability, since weights are damaged.
        """
        answered = probabilities(self._session, "images", glyphs, 10)
        if not np.isfinite(answered).all():
            raise ModelError(f"model {self.name}: answers with numbers that are none (NaN); its weights are damaged")
        return answered

    def calibrated(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Calibrated probabilities, float32 (N, 10): the network's, with the model's temperature applied."""
        powered = self.probabilities(glyphs).astype(np.float64) ** (1 / self.temperature)
        return np.asarray(powered / powered.sum(axis=1, keepdims=True), np.float32)

    def activations(self, glyph: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """What the hidden layers answer to one glyph, uint8 (28, 28), the first first: (maps, H, W) or (units,) each.

        Empty for a model that was exported without them.
        """
        names = [output.name for output in self._session.get_outputs() if output.name.startswith("activation_")]
        if not names:
            return {}
        answers = self._session.run(names, {"images": np.ascontiguousarray(glyph[None])})
        return {name: answer[0] for name, answer in zip(names, answers, strict=True)}

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes (pickle) and copies: what it was made of."""
        return Model, self._made_of

    def _check_interface(self) -> None:
        inputs = {i.name: (i.type, i.shape) for i in self._session.get_inputs()}
        outputs = {o.name: (o.type, o.shape) for o in self._session.get_outputs()}
        expected = "expected input images uint8 [batch, 28, 28] and output probabilities float32 [batch, 10]"
        kind, shape = inputs.get("images", ("", []))
        if len(inputs) != 1 or kind != "tensor(uint8)" or len(shape) != 3 or shape[1:] != [28, 28] or isinstance(shape[0], int):
            raise ModelError(f"model {self.name}: inputs {inputs}; {expected}")
        kind, shape = outputs.get("probabilities", ("", []))
        if kind != "tensor(float)" or len(shape) != 2 or shape[1] != 10:
            raise ModelError(f"model {self.name}: outputs {outputs}; {expected}")

    def _read_metadata(self) -> dict[str, Any]:
        raw: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        if raw.get("kind") != KIND:
            raise ModelError(f"model {self.name}: kind {raw.get('kind')!r}, expected {KIND!r}; export it with tenfold export")
        return {key: value if key in _PLAIN else _from_json(value) for key, value in raw.items()}

    def _check_graph(self, content: bytes) -> None:
        """Hold the graph against its checksum; models made before there was one have none."""
        expected = self.metadata.get("graph_sha256")
        if expected is not None and expected != anatomy.graph_sha256(content):
            raise ModelError(f"model {self.name}: damaged, its checksum is wrong; fetch or export it again")

    def _check_answers(self) -> None:
        """Ask about a blank glyph and a glyph full of ink."""
        asked = np.stack([np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)])
        try:
            answered = self.probabilities(asked)
        except ModelError:
            raise
        except Exception as problem:  # ONNX Runtime once more
            raise ModelError(
                f"model {self.name}: does not compute ({_first_line(problem)}); expected a tenfold model"
            ) from problem
        if answered.shape != (2, 10) or answered.min() < 0 or abs(answered.sum(axis=1) - 1).max() > _NEARLY_ONE:
            raise ModelError(f"model {self.name}: does not answer with probabilities; expected ten that add up to 1")

    def _positive(self, key: str, default: float) -> float:
        value = self.metadata.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 100:
            raise ModelError(f"model {self.name}: {key} is {value!r}, expected a positive number")
        return float(value)

    def _threshold(self) -> float | None:
        """The digit_score from which the model wants digits accepted; in format 1 that score meant something else."""
        thresholds = self.metadata.get("thresholds", {})
        if thresholds == {} or self.metadata.get("format") == "1":
            return None
        value = thresholds.get("digit_score") if isinstance(thresholds, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ModelError(f"model {self.name}: thresholds are {thresholds!r}, expected digit_score between 0 and 1")
        return float(value)


class Network:
    """A network of the package that helps the classifier.

    Attributes:
        metadata: what the file says of itself, as text.
    """

    FILE: ClassVar[str]  # its name without .onnx

    def __init__(self, content: bytes, threads: int = 0) -> None:
        self._session, self._threads = session(content, threads), threads
        self.metadata: dict[str, str] = self._session.get_modelmeta().custom_metadata_map

    @classmethod
    def bundled(cls, threads: int = 0) -> Self:
        """The one that ships."""
        return cls(bundled(cls.FILE), threads)

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes (pickle) and copies: there it is loaded anew."""
        return type(self).bundled, (self._threads,)


def probabilities(
    asked: Any, given: str, images: NDArray[np.uint8], n_classes: int, batch: int = _BATCH
) -> NDArray[np.float32]:
    """What a session answers to its input `given`, uint8 (N, H, W), so many at a time: float32 (N, n_classes)."""
    parts = [
        asked.run(["probabilities"], {given: np.ascontiguousarray(images[i : i + batch])})[0]
        for i in range(0, len(images), batch)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, n_classes), np.float32)


def session(content: bytes, threads: int = 0) -> Any:
    """An ONNX Runtime session on the processor, silent; `threads` as in `Model`."""
    # ONNX Runtime would keep a device number in the user's home and report to its maker; reading is nobody's business.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what ONNX Runtime would print is raised as well
    options.add_session_config_entry("session.load_model_format", "ONNX")  # and not what else a file may turn out to be
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def load(source: str | os.PathLike[str], threads: int = 0) -> Model:
    """Load a model by its ONNX file, or by the folder of a run.

    Raises:
        ModelError: there is none, or it cannot be used.
    """
    if not isinstance(source, str | os.PathLike):
        raise ModelError(f"model: found {type(source).__name__}, expected an ONNX file or a run's folder")
    path = Path(source)
    allowed = limits.from_environment().max_model_bytes
    try:
        file = path / "model.onnx" if path.is_dir() else path
        if path.is_dir() and not file.is_file():
            raise ModelError(f"{path}: holds no model.onnx; {_remedy(path)}")
        if file.exists() and not file.is_file():
            raise ModelError(f"{path}: not a file; expected an ONNX file or a run's folder")
        with file.open("rb") as stream:
            content = stream.read(allowed + 1)
    except OSError as problem:
        raise ModelError(f"cannot read model {of_system(problem, path)}; expected an ONNX file or a run's folder") from problem
    except ValueError as problem:  # a NUL in the name
        raise ModelError(f"cannot read model {path}: {problem}; expected an ONNX file or a run's folder") from problem
    return Model(content, str(path), threads)


def _remedy(folder: Path) -> str:
    """What to do about a folder without an ONNX file."""
    if (folder / "folds.json").is_file():
        return f"folds are for submit, evaluate and compare; give one of them, such as {folder / 'fold-1'}"
    if not (folder / "recipe.json").is_file():
        return "expected the folder of a run, or an .onnx file"
    if not (folder / "metrics.json").is_file():
        return f"the run is not finished; go on with: tenfold train --resume --run {folder}"
    return f"write it with: tenfold export {folder}"


def load_bundled(threads: int = 0) -> Model:
    """Load the model that ships with tenfold; `threads` as in `Model`."""
    return Model(bundled("digits"), "bundled", threads)


def bundled(name: str) -> bytes:
    """An ONNX file that ships: `digits`, `judge`, `finder` or `reviewer`."""
    from importlib.resources import files

    return (files("tenfold.read") / "bundled" / f"{name}.onnx").read_bytes()


def _from_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _first_line(problem: BaseException) -> str:
    return (str(problem) or type(problem).__name__).splitlines()[0][:160]
