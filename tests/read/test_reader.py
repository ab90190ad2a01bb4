import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tenfold
from tenfold import Digits, Reader
from tenfold.errors import PictureError
from tenfold.read.model import Model


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def test_digits() -> Digits:
    return tenfold.load("mnist", "test")[:200]


def paper(glyph: np.ndarray, size: int = 200, light: int = 230, dark: int = 40) -> np.ndarray:
    """A glyph as dark ink on light paper, enlarged and off the centre."""
    large = np.asarray(Image.fromarray(glyph).resize((size, size), Image.Resampling.BICUBIC), np.float32) / 255
    page = np.full((size + 60, size + 90), light, np.float32)
    page[10 : 10 + size, 70 : 70 + size] -= (light - dark) * large
    return page.astype(np.uint8)


def test_glyphs_are_classified_as_well_as_the_model_can(reader: Reader, test_digits: Digits) -> None:
    answer = reader.classify(test_digits.images)
    through_model = reader.model.probabilities(test_digits.images).argmax(axis=1)
    assert (answer.labels == through_model).mean() > 0.99
    assert (answer.labels == test_digits.labels).mean() > 0.95
    assert answer.probabilities.shape == (200, 10)
    assert np.allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5)
    assert (answer.accepted == (answer.digit_score >= reader.model.threshold)).all()


def test_pictures_of_digits_are_read_nearly_as_well_as_the_glyphs_themselves(reader: Reader, test_digits: Digits) -> None:
    pictures = [paper(glyph) for glyph in test_digits.images]
    right = (reader.classify(pictures).labels == test_digits.labels).mean()
    assert right > (reader.classify(test_digits.images).labels == test_digits.labels).mean() - 0.02


def test_polarity_does_not_matter(reader: Reader, test_digits: Digits) -> None:
    """Fault 15."""
    pictures = [paper(glyph) for glyph in test_digits.images[:50]]
    one, other = reader.classify(pictures), reader.classify([255 - p for p in pictures])
    assert (one.labels == other.labels).all()
    assert np.allclose(one.probabilities, other.probabilities, atol=0.05)


def test_every_kind_of_source_gives_the_same_reading(reader: Reader, test_digits: Digits, tmp_path: Path) -> None:
    pixels = paper(test_digits.images[0])
    image = Image.fromarray(pixels)
    image.save(tmp_path / "seven.png")
    content = (tmp_path / "seven.png").read_bytes()
    sources = [str(tmp_path / "seven.png"), tmp_path / "seven.png", content, image, pixels, np.dstack([pixels] * 3)]
    readings = [reader.read(source) for source in sources]
    assert {r.text for r in readings} == {"7"}
    assert [r.file for r in readings] == [str(tmp_path / "seven.png")] * 2 + [None] * 4
    assert len({r.digits for r in readings}) == 1


def test_the_box_lies_around_the_ink_in_pixels_of_the_picture(reader: Reader) -> None:
    page = np.full((300, 400), 255, np.uint8)
    page[100:200, 250:270] = 0
    (digit,) = reader.read(page).digits
    assert digit.box == pytest.approx((250, 100, 20, 100), abs=2)
    large = np.kron(page, np.ones((8, 8), np.uint8))
    (digit,) = reader.read(large).digits
    assert digit.box == pytest.approx((2000, 800, 160, 800), abs=24)
    assert digit.label == 1


def test_exif_turned_pictures_are_read_upright_with_boxes_as_displayed(reader: Reader, test_digits: Digits) -> None:
    """Fault 7."""
    upright = Image.fromarray(paper(test_digits.images[0]))
    expected = reader.read(upright)
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 270 degrees counter-clockwise to display
    stream = io.BytesIO()
    turned.save(stream, "PNG", exif=exif)
    found = reader.read(stream.getvalue())
    assert found.digits[0].box == expected.digits[0].box
    assert found.text == expected.text == "7"


@pytest.mark.parametrize(
    "blank", [np.zeros((50, 40), np.uint8), np.full((28, 28), 255, np.uint8), np.full((1, 1), 7, np.uint8)]
)
def test_a_blank_picture_is_an_empty_text(reader: Reader, blank: np.ndarray) -> None:
    """Fault 13."""
    reading = reader.read(blank)
    assert (reading.text, reading.digits) == ("", ())
    answer = reader.classify([blank])
    assert np.allclose(answer.probabilities, 0.1)
    assert answer.digit_score.tolist() == [0]
    assert answer.accepted.tolist() == [False]


def test_nothing_to_classify_is_nothing(reader: Reader) -> None:
    answer = reader.classify([])
    assert answer.probabilities.shape == (0, 10)
    assert answer.labels.shape == answer.accepted.shape == (0,)


def test_what_scores_below_the_threshold_is_refused_and_left_out(make_model, test_digits: Digits) -> None:
    strict = Reader(Model(make_model(scale=0.1, thresholds={"digit_score": 0.9}), "strict"))
    reading = strict.read(test_digits.images[0])
    assert reading.text == ""
    assert not reading.digits[0].accepted
    assert reading.confidence == pytest.approx(1 - reading.digits[0].confidence)
    assert strict.classify(test_digits.images[:1]).labels.shape == (1,), "labels are given all the same"


def test_the_json_of_a_reading_has_the_keys_of_the_contract(reader: Reader, test_digits: Digits) -> None:
    reading = reader.read(test_digits.images[0]).as_dict()
    assert list(reading) == ["file", "text", "confidence", "digits"]
    assert list(reading["digits"][0]) == ["label", "confidence", "box", "line", "probabilities", "accepted"]
    assert reading["confidence"] == reading["digits"][0]["confidence"] == max(reading["digits"][0]["probabilities"])


def test_a_picture_that_cannot_be_decoded_is_named(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    with pytest.raises(PictureError, match=r"bad\.png"):
        reader.read(tmp_path / "bad.png")


def test_reading_needs_none_of_the_libraries_that_train() -> None:
    import subprocess
    import sys

    code = """
import sys
for name in ("keras", "tensorflow", "jax", "onnx", "msgspec", "pandas", "matplotlib", "seaborn", "jinja2", "rich"):
    sys.modules[name] = None  # importing it raises
import numpy, tenfold
page = numpy.full((60, 60), 255, numpy.uint8); page[10:50, 28:32] = 0
print(tenfold.Reader().read(page).text)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_reading_leaves_nothing_in_the_users_home(tmp_path: Path) -> None:
    """ONNX Runtime would keep a device number there, to report with."""
    import os
    import subprocess
    import sys

    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG", "ORT"))} | {"HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import tenfold; tenfold.Reader()"], env=environment, check=True)
    assert list(tmp_path.rglob("*")) == []
