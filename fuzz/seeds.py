"""Makes the corpus that fuzzing starts from, small files of every kind: `python fuzz/seeds.py`."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

CORPUS = Path(__file__).parent / "corpus"
GLYPH = np.pad(np.full((12, 4), 255, np.uint8), ((8, 8), (12, 12)))


def main() -> None:
    """Write every seed."""
    kinds = (csv, idx, npz, samples, decode, pages, recipe, run, model, protocol, form, field)
    for make in kinds:
        folder = CORPUS / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in make().items():
            (folder / name).write_bytes(content)


def csv() -> dict[str, bytes]:
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    row = ",".join(["3", *map(str, GLYPH.ravel())])
    plain = f"{header}\n{row}\n".encode()
    packed = _zip({"train.csv": plain})
    return {
        "row": row.encode(),
        "unlabelled": row[2:].encode() + b"\r\n",
        "header.gz": gzip.compress(plain, mtime=0),
        "header.zip": packed,
        "bad": row.replace(",255", ",256", 1).encode(),
    }


def idx() -> dict[str, bytes]:
    images = struct.pack(">BBBBIII", 0, 0, 8, 3, 1, 28, 28) + GLYPH.tobytes()
    labels = struct.pack(">BBBBI", 0, 0, 8, 1, 1) + b"\x03"
    return {"pair": bytes([len(labels)]) + images + labels, "gz": b"\0" + gzip.compress(images, mtime=0)}


def npz() -> dict[str, bytes]:
    def saved(array: np.ndarray) -> bytes:
        file = io.BytesIO()
        np.save(file, array)
        return file.getvalue()

    images, labels = GLYPH[None], np.array([3], np.uint8)
    keras = {
        "x_train.npy": saved(images),
        "y_train.npy": saved(labels),
        "x_test.npy": saved(images),
        "y_test.npy": saved(labels),
    }
    return {
        "array": saved(images),
        "flat": saved(images.reshape(1, 784)),
        "int64": saved(images.astype(np.int64)[..., None]),
        "objects": saved(labels.astype(np.float16)),
        "keras.npz": _zip(keras, zipfile.ZIP_DEFLATED),
    }


def samples() -> dict[str, bytes]:
    from tenfold.data.samples import Samples

    with tempfile.TemporaryDirectory() as folder:
        kept = Samples(Path(folder) / "samples.db")
        kept.add(GLYPH, 3, 8, b"", "0")
        return {"one": kept.export()}


def decode() -> dict[str, bytes]:
    grey, made = Image.fromarray(GLYPH), {}
    for form in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF", "TIFF"):
        made[form.lower()] = _encoded(grey, form)
    made["sixteen.png"] = _encoded(Image.fromarray(GLYPH.astype(np.uint16) * 257), "PNG")
    made["palette.png"] = _encoded(grey.convert("P"), "PNG", transparency=0)
    made["rgba.png"] = _encoded(grey.convert("RGBA"), "PNG")
    made["frames.gif"] = _encoded(grey, "GIF", save_all=True, append_images=[grey.rotate(9)])
    made["float.tiff"] = _encoded(Image.fromarray(GLYPH.astype(np.float32)), "TIFF")
    exif = Image.Exif()
    exif[0x0112] = 6
    made["turned.jpeg"] = _encoded(grey, "JPEG", exif=exif)
    return made


def pages() -> dict[str, bytes]:
    grey = Image.fromarray(GLYPH)
    two = {"save_all": True, "append_images": [grey]}
    return {"two.tiff": _encoded(grey, "TIFF", **two), "two.pdf": _encoded(grey, "PDF", **two)}


def recipe() -> dict[str, bytes]:
    from tenfold.learn import recipes

    return {name: recipes.as_json(found) for name, found in recipes.RECIPES.items()}


def run() -> dict[str, bytes]:
    bundled = Path(__file__).parents[1] / "src/tenfold/learn/bundled/metrics.json"
    fingerprints = io.BytesIO()
    np.save(fingerprints, np.arange(3, dtype=np.uint64))
    history = b"epoch,loss,accuracy,val_loss,val_accuracy,seconds\n1,0.5,0.9,0.4,0.91,1.5\n2,0.4,0.92,,,1.4\n"
    return {
        "metrics": b"\0" + bundled.read_bytes(),
        "history": b"\1" + history,
        "fingerprints": b"\2" + fingerprints.getvalue(),
    }


def model() -> dict[str, bytes]:
    """A model of few bytes: the mean of all pixels, ten times weighed; and the same with its weights in another file."""
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["pixels", "axis"], ["map"]),
        helper.make_node("GlobalAveragePool", ["map"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"], axis=1),
        helper.make_node("Gemm", ["flat", "kernel"], ["sums"]),
        helper.make_node("Softmax", ["sums"], ["probabilities"]),
    ]
    axis = numpy_helper.from_array(np.array([1], np.int64), "axis")
    here = _onnx(nodes, [axis, numpy_helper.from_array(np.linspace(0, 0.1, 10, dtype=np.float32)[None], "kernel")])
    elsewhere = TensorProto(name="kernel", data_type=TensorProto.FLOAT, dims=[1, 10], data_location=TensorProto.EXTERNAL)
    elsewhere.external_data.add(key="location", value="weights.bin")
    return {"toy": here, "elsewhere": _onnx(nodes, [axis, elsewhere])}


def protocol() -> dict[str, bytes]:
    tensor: dict[str, Any] = {"name": "images", "datatype": "UINT8", "shape": [1, 28, 28]}
    as_list = json.dumps({"id": "a", "inputs": [{**tensor, "data": GLYPH.ravel().tolist()}]}).encode()
    wish = {"outputs": [{"name": "probabilities", "parameters": {"binary_data": True}}]}
    as_bytes = json.dumps({"inputs": [{**tensor, "parameters": {"binary_data_size": 784}}], **wish}).encode()
    floats = json.dumps({"inputs": [{**tensor, "datatype": "FP32", "data": (GLYPH / 2).tolist()}]}).encode()
    return {
        "list": b"\0\0" + as_list,
        "bytes": struct.pack(">H", len(as_bytes)) + as_bytes + GLYPH.tobytes(),
        "floats": b"\0\0" + floats,
    }


def form() -> dict[str, bytes]:
    head = 'Content-Disposition: form-data; name="file"; filename="../a.png"\r\nContent-Type: image/png'
    part = f"--x\r\n{head}\r\n\r\n".encode() + b"\x89PNG" + b"\r\n--x--\r\n"
    return {
        "file": b"multipart/form-data; boundary=x\n" + part,
        "two": b'multipart/form-data; boundary="x"\n' + part[:-6] + part,
    }


def field() -> dict[str, bytes]:
    return {"pattern": b"##-1#\n\nluhn", "number": b"\n4\nmod11", "nothing": b"\n\n"}


def _encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _zip(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return file.getvalue()


def _onnx(nodes: list[Any], constants: list[Any]) -> bytes:
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 28, 28])
    answer = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 10])
    graph = helper.make_graph(nodes, "digits", [images], [answer], constants)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(proto, {"kind": "tenfold digit classifier", "version": "0"})
    return bytes(proto.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
