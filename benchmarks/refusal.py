"""Refusing: what `Reader.classify` takes for a digit, of MNIST's test digits and of much that is none; what is read in words.

Prints a table: for each kind the share whose `digit_score` reaches the threshold, and the area under the ROC curve between
MNIST's test digits and it: the probability that a digit scores higher. Letters come from fonts that the judge was not trained
with, clothes are Fashion-MNIST's test pictures; what is not installed is left out (Debian: fonts-liberation, fonts-breip,
fonts-bwht, fonts-dkg-handwriting, fonts-femkeklaver, dataset-fashion-mnist). Then pages of the README's words and of those of
forms, without a digit, in the same fonts: how many digits are read there.

Usage: .venv/bin/python benchmarks/refusal.py [NPZ ...]
An NPZ holds digits by other hands under `images`, which should be accepted; with `labels`, how many are read rightly is said.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import stats

import tenfold
from tenfold.data.sources import load
from tenfold.learn import clutter
from tenfold.learn.nondigits import NonDigits

_FONTS = Path("/usr/share/fonts")
_PRINT = ("truetype/liberation/*.ttf",)
_HANDWRITING = ("opentype/bwht/*.otf", "truetype/breip/*.ttf", "truetype/femkeklaver/*.ttf", "truetype/fifthhorseman/*.ttf")
_CLOTHES = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")
_LETTERS = "".join(c for c in clutter.LETTERS if c.isascii() and c.isalpha())  # none that looks like a digit
_SEED = 12
_README = Path(__file__).parents[1] / "README.md"
_OF_FORMS = [
    *(
        "Name:",
        "Street",
        "Date of birth",
        "Signature",
        "Amount",
        "Total",
        "Phone No.",
        "City / ZIP",
        "Tel.",
        "IBAN",
        "Qty",
        "Price",
    ),
    *("Sort code", "Please print", "OFFICE USE ONLY", "ISBN", "BILL TO", "Subtotal", "Balance due", "Yes / No"),
]
_PAGES = 60
_OFTEN = 6  # letters that are named, of those accepted

Pictures = Sequence[Image.Image]


def main() -> None:
    reader = tenfold.Reader()
    digits = load("mnist", "test")
    classified = reader.classify_glyphs(digits.images)
    print(f"threshold {classified.threshold:.4f}\n\n| what | how many | accepted | AUROC |\n|---|---|---|---|")
    print(f"| MNIST's test digits | {len(digits.images):,} | {classified.accepted.mean():.2%} | |")
    for file in sys.argv[1:]:
        held = np.load(file)
        images = [Image.fromarray(image) for image in held["images"]]
        found = reader.classify(images)
        right = f", {np.mean(found.labels == held['labels']):.2%} read rightly" if "labels" in held else ""
        print(f"| digits in {Path(file).name}{right} | {len(images):,} | {found.accepted.mean():.2%} | |")
    for name, pictures, texts in others(digits.images):
        other = reader.classify(pictures)
        area = auroc(classified.digit_score, other.digit_score)
        print(f"| {name} | {len(pictures):,} | {other.accepted.mean():.2%} | {area:.4f} |{_often(texts, other.accepted)}")
    print("\n| pages of words | letters | digits read there, of 1,000 letters | pages without any |\n|---|---|---|---|")
    for name, fonts in _fonts():
        pages, counts = zip(*pages_of_words(fonts), strict=True)
        read, n_letters = [reader.read(page).text.replace("\n", "") for page in pages], sum(counts)
        print(f"| {name} | {n_letters:,} | {1000 * len(''.join(read)) / n_letters:.1f} | {read.count('')} of {len(read)} |")


def others(images: NDArray[np.uint8]) -> Iterator[tuple[str, Pictures, str]]:
    """What is no digit: a name, pictures, and for letters which they are."""
    for name, fonts in _fonts():
        yield f"letters in {name}", [letter(file, c) for file in fonts for c in _LETTERS], _LETTERS * len(fonts)
    if _CLOTHES.exists():
        yield "clothes", [Image.fromarray(image) for image in load(str(_CLOTHES)).images[:3000]], ""
    drawn = NonDigits(images, clutter.packaged_fonts())
    for kind in drawn.kinds:
        yield f"drawn as for training: {kind}", [Image.fromarray(glyph) for glyph in drawn.drawn(1000, _SEED, kind)], ""


def _fonts() -> Iterator[tuple[str, list[Path]]]:
    """The installed fonts of each kind."""
    for name, patterns in (("print", _PRINT), ("handwriting fonts", _HANDWRITING)):
        fonts = [file for pattern in patterns for file in sorted(_FONTS.glob(pattern))]
        if fonts:
            yield f"{name} ({len(fonts)} fonts)", fonts


def pages_of_words(fonts: Sequence[Path]) -> Iterator[tuple[Image.Image, int]]:
    """Pages of words without a digit, each in one font, and how many letters they have."""
    words = [word for word in re.sub(r"[^A-Za-z,.:()/ -]+", " ", _README.read_text(encoding="utf-8")).split() if len(word) > 1]
    for k in range(_PAGES):
        random = np.random.default_rng([_SEED, k])
        size, in_capitals, dark = int(random.choice([14, 18, 24, 32, 48])), random.random() < 0.25, int(random.integers(0, 90))
        font = clutter.font(str(random.choice(np.array(fonts, str))), size)
        page, n = Image.new("L", (700, 420), int(random.integers(215, 256))), 0
        draw = ImageDraw.Draw(page)
        for y in range(20, 380, int(1.7 * size)):
            x = 20.0
            while x < 600:
                word = str(random.choice(words if random.random() < 0.6 else _OF_FORMS))
                word = word.upper() if in_capitals else word
                if x + draw.textlength(word, font=font) > 690:
                    break
                draw.text((x, y), word, fill=dark, font=font)
                n += sum(c.isalpha() for c in word)
                x += draw.textlength(word + " ", font=font)
        yield page, n


def letter(font: Path, text: str) -> Image.Image:
    """A letter, black on white."""
    image = Image.new("L", (96, 96), 255)
    ImageDraw.Draw(image).text((48, 48), text, fill=0, font=clutter.font(str(font), 48), anchor="mm")
    return image


def auroc(digits: NDArray[np.floating], others: NDArray[np.floating]) -> float:
    """The probability that a digit scores higher than something else; ties count half."""
    return float(stats.mannwhitneyu(digits, others).statistic / (len(digits) * len(others)))


def _often(texts: str, accepted: NDArray[np.bool_]) -> str:
    if not texts:
        return ""
    count = {c: sum(a for t, a in zip(texts, accepted, strict=True) if t == c) for c in sorted(set(texts))}
    most = sorted(count, key=lambda c: -count[c])[:_OFTEN]
    return " most often " + ", ".join(f"{c} {count[c]}" for c in most if count[c])


if __name__ == "__main__":
    main()
