"""What one writes first: FastAPI around `model.predict`. The same network as tenfold's, as Keras has it."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from importlib.resources import files
from typing import Any

import numpy as np
from fastapi import FastAPI

from tenfold.learn import runs

app = FastAPI()
model = runs.open_run(str(files("tenfold.learn") / "bundled")).load_model()


def predict(body: dict[str, Any]) -> dict[str, list[float]]:
    probabilities = model.predict(np.array(body["image"], np.uint8)[None], verbose=0)
    return {"probabilities": probabilities[0].tolist()}


app.post("/predict")(predict)
