import copy
import io
import pickle
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import tenfold
from tenfold import Digits, Reader
from tenfold.errors import PictureError, UsageError
from tenfold.learn import doodles, letters
from tenfold.read.finder import HARDLY, LIKELY
from tenfold.read.model import Model, bundled, load_bundled
from tenfold.read.shipped import Candidates, Shipped


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


def letter(character: str) -> np.ndarray:
    """A printed letter as a glyph is: white on black, 28x28."""
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).text((14, 14), character, fill=255, font=ImageFont.load_default(24), anchor="mm")
    return np.asarray(image)


def page(rows: Sequence[Sequence[np.ndarray]], height: int = 40, gap: int = 8) -> np.ndarray:
    """Glyphs as dark ink on light paper, row by row, their digits about so high."""
    side = round(1.4 * height)
    sheet = np.full((len(rows) * (side + 20) + 40, max(map(len, rows)) * (side + gap) + 60), 225, np.float32)
    for r, row in enumerate(rows):
        for i, glyph in enumerate(row):
            large = np.asarray(Image.fromarray(glyph).resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255
            y, x = 20 + r * (side + 20), 30 + i * (side + gap)
            place = sheet[y : y + side, x : x + side]
            np.minimum(place, 225 - 185 * large, out=place)
    return sheet.astype(np.uint8)


@pytest.fixture(scope="module")
def numbers(test_digits: Digits) -> tuple[np.ndarray, str]:
    """Three rows of six digits, and their text."""
    rows = [test_digits.images[6 * r : 6 * r + 6] for r in range(3)]
    labels = [test_digits.labels[6 * r : 6 * r + 6] for r in range(3)]
    return page(rows), "\n".join("".join(map(str, row)) for row in labels)


def test_a_page_is_read_in_rows(reader: Reader, numbers: tuple[np.ndarray, str]) -> None:
    pixels, text = numbers
    reading = reader.read(pixels)
    assert reading.text == text
    assert [d.line for d in reading.digits if d.accepted] == [0] * 6 + [1] * 6 + [2] * 6
    assert 0.3 < reading.confidence <= 1
    assert str(reading) == text


@pytest.mark.parametrize("change", ["white on black", "shadow", "colour", "grainy", "sloped", "small", "huge", "ruled"])
def test_a_page_is_read_however_it_looks(reader: Reader, numbers: tuple[np.ndarray, str], change: str) -> None:
    """Fault 15, and what phones and scanners do."""
    pixels, text = numbers
    height, width = pixels.shape
    if change == "white on black":
        pixels = 255 - pixels
    elif change == "shadow":
        pixels = (pixels * np.where(np.arange(width) < width / 2, 0.5, 1.0)).astype(np.uint8)
    elif change == "colour":
        share = (225 - pixels[..., None]) / 185
        pixels = ((1 - share) * np.array([250, 240, 190]) + share * np.array([30, 40, 160])).astype(np.uint8)
    elif change == "grainy":
        pixels = np.clip(pixels + np.random.default_rng(0).normal(0, 15, pixels.shape), 0, 255).astype(np.uint8)
    elif change == "sloped":
        pixels = np.asarray(Image.fromarray(pixels).rotate(5, Image.Resampling.BICUBIC, expand=True, fillcolor=225))
    elif change == "small":
        pixels = np.asarray(Image.fromarray(pixels).resize((width // 2, height // 2), Image.Resampling.BOX))
    elif change == "huge":
        pixels = np.asarray(Image.fromarray(pixels).resize((width * 9, height * 9), Image.Resampling.BICUBIC))
    else:
        pixels = pixels.copy()
        pixels[70::76, :] = 120
    assert reader.read(pixels).text == text


def test_a_picture_of_16_pixels_height_is_read(reader: Reader, test_digits: Digits) -> None:
    row = page([test_digits.images[:5]], height=60, gap=0)
    small = Image.fromarray(row[20:-20]).resize((16 * row.shape[1] // (row.shape[0] - 40), 16), Image.Resampling.BOX)
    assert reader.read(small).text == "".join(map(str, test_digits.labels[:5]))


def test_boxes_lie_around_the_digits(reader: Reader, test_digits: Digits) -> None:
    pixels = page([test_digits.images[:4]], height=60)
    for scale in (1, 7):
        large = np.kron(pixels, np.ones((scale, scale), np.uint8))
        digits = reader.read(large).digits
        assert len(digits) == 4
        for digit, column in zip(digits, range(4), strict=True):
            x, y, width, height = digit.box
            left = scale * (30 + column * 92)
            assert left <= x < x + width <= left + scale * 84
            ink = large[y : y + height, x : x + width] < 130
            outside = (large[:, left : left + scale * 84] < 130).sum() - ink.sum()
            assert outside <= 0.02 * ink.sum()
            assert height == pytest.approx(60 * scale, rel=0.15)


def test_words_by_hand_are_mostly_not_read(reader: Reader) -> None:
    n_read = 0
    for seed in range(20):
        ink = np.zeros((160, 240), np.uint8)
        doodles.draw(ink, letters.word(np.random.default_rng(seed), 4)[0], (30, 50), (50, 50), 4.0)
        accepted = [digit for digit in reader.read(Image.fromarray(230 - ink // 255 * 200)).digits if digit.accepted]
        n_read += len(accepted)
    assert n_read < 12, "of 80 letters; some look like digits"


def test_what_shines_through_from_the_other_side_is_not_read(
    reader: Reader, numbers: tuple[np.ndarray, str], test_digits: Digits
) -> None:
    sheet, text = numbers
    glyphs, labels = test_digits.images[50:150], test_digits.known_labels[50:150]
    behind = page([[glyphs[labels == k][0] for k in row] for row in ((0, 8, 1, 3), (8, 0, 6))], gap=20)
    room = np.full((max(len(sheet), len(behind)) * 2, max(sheet.shape[1], behind.shape[1])), 225.0)
    room[: len(sheet), : sheet.shape[1]] = sheet
    alone = reader.read(room.astype(np.uint8)).text
    assert alone == text
    room[-len(behind) :, : behind.shape[1]] -= 0.15 * (225.0 - behind[:, ::-1])
    assert reader.read(room.astype(np.uint8)).text == text
    assert reader.read(room[-len(behind) :].astype(np.uint8)).text != "", "alone, faint digits are read"


def test_what_is_pale_beside_the_rest_is_left_out_with_a_doubt(
    reader: Reader, numbers: tuple[np.ndarray, str], test_digits: Digits
) -> None:
    sheet, text = numbers
    glyphs, labels = test_digits.images[50:150], test_digits.known_labels[50:150]
    below = page([[glyphs[labels == k][0] for k in (3, 8)]], gap=20)
    room = np.full((len(sheet) + len(below), max(sheet.shape[1], below.shape[1])), 225.0)
    room[: len(sheet), : sheet.shape[1]] = sheet
    sure = reader.read(room.astype(np.uint8)).confidence
    room[len(sheet) :, : below.shape[1]] -= 0.2 * (225.0 - below)
    found = reader.read(room.astype(np.uint8))
    assert found.text == text
    assert [digit.label for digit in found.digits if digit.pale] == [3, 8]
    assert found.confidence < 0.9 * sure


@pytest.mark.parametrize(("height", "pen"), [(80, 1), (200, 2), (500, 5)])
def test_thin_strokes_are_read(reader: Reader, height: int, pen: int) -> None:
    drawn = Image.new("L", (2 * height + 80, height + 80), 255)
    pencil = ImageDraw.Draw(drawn)
    pencil.ellipse((40, 40, 40 + 0.6 * height, 40 + height), outline=0, width=pen)
    seven = [(height + 40, 40), (1.55 * height + 40, 40), (1.15 * height + 40, 40 + height)]
    pencil.line(seven, fill=0, width=pen)
    assert reader.read(drawn).text == "07"


def test_small_digits_on_a_large_page_are_read(reader: Reader, test_digits: Digits) -> None:
    """An A4 page scanned at 300 dots an inch, on which digits are 3 mm high, in one place only."""
    row = page([list(test_digits.images[50:58])], gap=8)
    small = Image.fromarray(row).resize((round(row.shape[1] * 1.1), round(row.shape[0] * 1.1)), Image.Resampling.BICUBIC)
    whole = Image.new("L", (2480, 3508), int(row.max()))
    whole.paste(small, (700, 1500))
    found = reader.read(whole)
    assert found.text == "".join(str(k) for k in test_digits.known_labels[50:58])
    assert all(1500 <= y < 1500 + small.height and height < 50 for _, y, _, height in (digit.box for digit in found.digits))


THINGS = ("noise", "letters", "dash", "rules", "circle", "gradient", "thin line", "face", "house", "heart", "tick", "A")


@pytest.mark.parametrize("thing", THINGS)
def test_what_holds_no_digit_is_not_read_with_confidence(reader: Reader, thing: str) -> None:
    """Fault 16."""
    image = Image.new("L", (240, 160), 230)
    draw = ImageDraw.Draw(image)
    if thing == "noise":
        image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (160, 240), np.uint8))
    elif thing == "letters":
        draw.text((120, 80), "AMEN", fill=20, font=ImageFont.load_default(60), anchor="mm")
    elif thing == "dash":
        draw.line((60, 80, 180, 84), fill=20, width=7)
    elif thing == "rules":
        for y in range(10, 160, 24):
            draw.line((0, y, 240, y), fill=90)
    elif thing == "circle":  # a face
        draw.ellipse((70, 30, 170, 140), outline=30, width=4)
        for x in (100, 140):
            draw.ellipse((x - 5, 65, x + 5, 75), fill=30)
        draw.arc((95, 80, 145, 120), 20, 160, fill=30, width=4)
    elif thing == "gradient":
        image = Image.fromarray(np.tile(np.linspace(20, 240, 240, dtype=np.uint8), (160, 1)))
    elif thing in THINGS[-5:]:
        ink = np.zeros((160, 240), np.uint8)
        letter = [letters.curve(stroke) for stroke in letters._ways(True)[0]]
        strokes = letter if thing == "A" else getattr(doodles, f"_{thing}")(np.random.default_rng(4))
        doodles.draw(ink, strokes, (85, 45), (70, 70), 5.0)
        image = Image.fromarray(230 - ink // 255 * 200)
    else:
        draw.line((0, 20, 240, 150), fill=60)
    assert [d for d in reader.read(image).digits if d.accepted and d.confidence > 0.7] == []


@pytest.mark.parametrize("shade", [0.35, 0.55])
def test_the_edge_of_a_shadow_across_a_digit_is_no_ink(reader: Reader, test_digits: Digits, shade: float) -> None:
    shaded = []
    for k, glyph in enumerate(test_digits.images[:40]):
        pixels = paper(glyph).astype(np.float32)
        rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
        pixels[np.cos(k) * (columns - 100) + np.sin(k) * (rows - 100) > 20 * np.sin(3 * k)] *= shade
        shaded.append(pixels.astype(np.uint8))
    found = reader.classify(shaded)
    assert (found.accepted & (found.labels == test_digits.labels[:40])).mean() >= 0.9


def test_where_known_digits_are_missed_less_likely_places_are_looked_at_too(
    test_digits: Digits, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, asked = Reader(threads=1), []
    candidates = Shipped.candidates

    def watched(self: Shipped, grey: np.ndarray, least: float, closely: bool) -> Candidates:
        """The first digit shows itself only to who looks closely."""
        asked.append(least)
        seen = candidates(self, grey, least, closely)
        kept = seen.found[:, 0] > (0 if least < LIKELY else seen.found[:, 0].min())
        return Candidates(seen.found[kept], seen.boxes[kept], seen.glyphs[kept], seen.said.at(kept))

    monkeypatch.setattr(Shipped, "candidates", watched)
    pixels = page([test_digits.images[:5]], height=40)
    text = "".join(map(str, test_digits.labels[:5]))
    assert reader.read(pixels).text == text[1:]
    assert asked == [LIKELY], "without knowing better nothing is missed"
    assert reader.read(pixels, digits=5).text == text
    assert asked == [LIKELY, LIKELY, HARDLY]
    assert reader.read(pixels, digits=4).text == text[1:]
    assert asked[3:] == [LIKELY], "a text that agrees is enough"


def test_what_is_known_of_the_field_is_used(reader: Reader, test_digits: Digits) -> None:
    pixels = page([test_digits.images[:5]], height=40)
    text = "".join(map(str, test_digits.labels[:5]))  # 72104
    assert reader.read(pixels, digits=5).text == text
    assert reader.read(pixels, pattern="##.###").text == f"{text[:2]}.{text[2:]}"
    four = reader.read(pixels, digits=4)
    assert len(four.text) == 4
    assert four.confidence < reader.read(pixels, digits=5).confidence
    assert reader.read(pixels, digits=9).text == ""
    assert reader.read(pixels, digits=9).confidence == 0
    forced = reader.read(pixels, pattern="##1#9")
    assert forced.text == "72109"
    assert forced.confidence <= 1
    with pytest.raises(UsageError, match="luhn"):
        reader.read(pixels, check="crc")


def test_a_text_that_is_not_sure_enough_is_refused(reader: Reader, numbers: tuple[np.ndarray, str]) -> None:
    reading = reader.read(numbers[0])
    refused = reader.read(numbers[0], min_confidence=min(1.0, reading.confidence + 1e-6))
    assert refused.text == ""
    assert refused.confidence == reading.confidence
    assert reader.read(numbers[0], min_confidence=reading.confidence).text == reading.text


def test_the_main_digit_counts_and_not_what_the_rim_cuts_off(reader: Reader, test_digits: Digits) -> None:
    right = 0
    for i in range(40):
        pixels = page([test_digits.images[[i + 1, i, i + 2]]], height=60, gap=0)
        # The middle digit whole, and slices of both neighbours.
        cut = pixels[20:-20, 30 + 72 : 30 + 84 + 84 + 12]
        right += int(reader.classify([cut]).labels[0] == test_digits.labels[i])
    assert right >= 37


def test_a_stroke_drawn_by_a_program_is_read_once(reader: Reader) -> None:
    image = Image.new("L", (500, 280), 255)
    seven, one, four = [(60, 60), (180, 50), (110, 220)], [(260, 50), (255, 220)], [(330, 50), (310, 140), (420, 140)]
    for stroke in (seven, one, four, [(395, 70), (390, 220)]):
        ImageDraw.Draw(image).line(stroke, fill=0, width=12)
    assert reader.read(image).text == "714"


def test_a_reading_draws_itself(reader: Reader, numbers: tuple[np.ndarray, str], tmp_path: Path) -> None:
    Image.fromarray(numbers[0]).save(tmp_path / "page.png")
    reading = reader.read(tmp_path / "page.png")
    drawn = np.asarray(reading.annotated())
    assert drawn.shape[2] == 3
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > len(np.unique(numbers[0]))
    shown = reading._repr_html_()
    assert "data:image/png;base64," in shown
    assert reading.text.split("\n")[0] in shown
    (tmp_path / "page.png").unlink()
    assert "data:image" not in reading._repr_html_()


def test_glyphs_are_classified_as_well_as_the_model_can(reader: Reader, test_digits: Digits) -> None:
    answer = reader.classify(test_digits.images)
    through_model = reader.model.probabilities(test_digits.images).argmax(axis=1)
    assert (answer.labels == through_model).mean() > 0.99
    assert (answer.labels == test_digits.labels).mean() > 0.95
    assert answer.probabilities.shape == (200, 10)
    assert np.allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5)
    assert (answer.accepted == (answer.digit_score >= answer.threshold)).all()
    assert answer.accepted.mean() > 0.97


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
    assert len({tuple((d.label, d.box) for d in r.digits) for r in readings}) == 1


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
    assert str(answer) == ""


def test_a_classification_prints_a_line_a_picture(reader: Reader, test_digits: Digits) -> None:
    blank = np.full((40, 40), 255, np.uint8)
    first, second = str(reader.classify([Image.fromarray(255 - test_digits.images[0]), Image.fromarray(blank)])).splitlines()
    assert re.fullmatch(rf"{test_digits.known_labels[0]} \(\d+\.\d%\)", first)
    assert second == "no digit"


def test_what_is_hardly_a_digit_is_refused_and_left_out(reader: Reader) -> None:
    answer = reader.classify([paper(letter(c)) for c in "AEKMNRWX"])
    assert answer.accepted.mean() < 0.3
    assert answer.labels.shape == (8,), "labels are given all the same"


def test_the_json_of_a_reading_has_the_keys_of_the_contract(reader: Reader, test_digits: Digits) -> None:
    reading = reader.read(paper(test_digits.images[0])).as_dict()
    assert list(reading) == ["file", "text", "confidence", "digits"]
    (digit,) = [d for d in reading["digits"] if d["accepted"]]
    assert list(digit) == ["label", "confidence", "box", "line", "probabilities", "accepted"]
    assert 0.5 < digit["confidence"] <= max(digit["probabilities"])
    assert sum(digit["probabilities"]) == pytest.approx(1)


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


def test_classify_wants_several_pictures(reader: Reader, tmp_path: Path) -> None:
    shapes = ((), (28, 28), (28, 28, 1), (40, 50, 3), (28, 28, 4))
    arrays = (np.zeros(shape, np.uint8) for shape in shapes)
    for one in ("seven.png", b"bytes", tmp_path / "seven.png", Image.new("L", (28, 28)), *arrays):
        with pytest.raises(UsageError, match=r"classify\(\[picture\]\)"):
            reader.classify(one)  # type: ignore[arg-type]
    for several in ((3, 28, 28), (2, 40, 50), (2, 28, 28, 3)):
        assert len(reader.classify(np.zeros(several, np.uint8)).labels) == several[0]


@pytest.mark.parametrize("pictures", [None, 7, np.uint8(7)])
def test_what_is_no_pictures_at_all_is_said(reader: Reader, pictures: object) -> None:
    with pytest.raises(UsageError, match=r"classify: found \w+, expected several pictures"):
        reader.classify(pictures)  # type: ignore[arg-type]


def test_a_model_of_ones_own_counts_in_reading_and_more_if_it_grew_out_of_the_one_that_ships(
    reader: Reader, test_digits: Digits, make_model: Callable[..., bytes]
) -> None:
    eight = np.zeros((784, 10), np.float32)
    eight[:, 8] = 0.01  # says 8 of whatever has ink
    grown = Model(make_model(weights=eight, recipe={"start_from": "bundled"}), "grown")
    other = Model(make_model(weights=eight, recipe={"start_from": None}), "other")
    picture = page([[test_digits.images[0]]])  # a clear 7
    shares = [one.read(picture).digits[0].probabilities[8] for one in (reader, reader.with_model(other), Reader(grown))]
    assert shares == sorted(shares)
    assert (reader.read(picture).text, Reader(grown).read(picture).text) == ("7", "8")


def test_the_model_that_ships_given_by_hand_reads_as_without(reader: Reader, numbers: tuple[np.ndarray, str]) -> None:
    one, other = ([digit.probabilities for digit in who.read(numbers[0]).digits] for who in (reader, Reader(load_bundled())))
    np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("least", [-0.1, 1.5, float("nan")])
def test_a_least_confidence_is_a_probability(reader: Reader, least: float) -> None:
    with pytest.raises(UsageError, match=r"min_confidence: found .*, expected a number from 0 to 1"):
        reader.read(np.zeros((20, 20), np.uint8), min_confidence=least)


def test_a_reader_can_be_copied_and_sent_to_other_processes(test_digits: Digits) -> None:
    reader, number = Reader(threads=1), paper(test_digits.images[0])
    text = reader.read(number).text
    for other in (pickle.loads(pickle.dumps(reader)), copy.deepcopy(reader)):
        assert other.read(number).text == text
        assert other.model is other._shipped.classifier
    model = Model(bundled("digits"), "mine", 1)
    assert pickle.loads(pickle.dumps(Reader(model))).model.name == "mine"


@pytest.mark.parametrize("threads", [-1, 1.5, True, "2", 10_000])
def test_threads_that_are_none_are_refused(threads: object) -> None:
    with pytest.raises(UsageError, match=r"threads: found .*, expected a whole number from 0 to 256"):
        Reader(threads=threads)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", [None, 7, [[1, 2]], bytearray(b"x"), io.BytesIO(b"x")])
def test_what_is_no_picture_at_all_is_said(source: object) -> None:
    with pytest.raises(PictureError, match="expected a path, bytes, a Pillow image or a NumPy array"):
        Reader(threads=1).read(source)  # type: ignore[arg-type]


@pytest.mark.parametrize("glyphs", [np.zeros((2, 28, 28)), np.zeros((2, 27, 28), np.uint8), np.zeros((28, 28), np.uint8), [1]])
def test_glyphs_of_another_kind_are_refused(glyphs: object) -> None:
    with pytest.raises(UsageError, match=r"glyphs: found .*, expected an array of uint8 \(N, 28, 28\)"):
        Reader(threads=1).classify_glyphs(glyphs)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers(test_digits: Digits) -> None:
    reader, number = Reader(threads=1), paper(test_digits.images[0])
    text = reader.read(number).text
    assert reader.read(number.view(np.matrix), digits=np.int64(len(text)), min_confidence=np.float32(0.1)).text == text


def closely(glyph: np.ndarray, height: int) -> np.ndarray:
    """A glyph's ink, cut out along its edges, black on white."""
    inked = glyph > 60
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    image = Image.fromarray(glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    width = max(3, round(image.width * height / image.height))
    return 255 - np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("height", [28, 200])
def test_a_digit_cut_out_along_its_ink_is_read(reader: Reader, test_digits: Digits, height: int) -> None:
    read = [reader.read(closely(image, height)).text for image in test_digits.images[:40]]
    assert sum(text == str(label) for text, label in zip(read, test_digits.known_labels[:40], strict=True)) >= 36


def test_a_row_cut_out_along_its_ink_is_read(reader: Reader, test_digits: Digits) -> None:
    n_right = 0
    for k in range(0, 100, 5):
        parts = [np.pad(closely(image, 40), ((0, 0), (0, 8)), constant_values=255) for image in test_digits.images[k : k + 5]]
        text = "".join(map(str, test_digits.known_labels[k : k + 5]))
        n_right += reader.read(np.concatenate(parts, axis=1)[:, :-8]).text == text
    assert n_right >= 15


def test_a_frame_around_a_digit_is_not_taken_for_ink(reader: Reader, test_digits: Digits) -> None:
    framed = []
    for image in test_digits.images[:40]:
        page = Image.fromarray(255 - np.pad(np.asarray(Image.fromarray(image).resize((80, 80))), 10))
        ImageDraw.Draw(page).rectangle((4, 4, 95, 95), outline=60, width=2)
        framed.append(page)
    found = reader.classify(framed)
    assert (found.accepted & (found.labels == test_digits.known_labels[:40])).sum() >= 37


def test_nothing_seen_is_less_sure_than_nothing_there(reader: Reader) -> None:
    assert reader.read(np.full((60, 80), 250, np.uint8)).confidence == 1
    dots = np.full((60, 80), 250, np.uint8)
    dots[30:32, 40:42] = 60
    found = reader.read(dots)
    assert found.text == ""
    assert found.confidence <= 0.95


def test_a_reading_is_short_to_look_at(reader: Reader) -> None:
    found = repr(reader.read(Path(__file__).parents[2] / "docs" / "images" / "field.png"))
    assert found.startswith("Reading('482107', confidence 97.")
    assert len(found) < 200
