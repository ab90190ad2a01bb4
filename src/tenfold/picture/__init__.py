"""What one picture is: bytes to pixels, pixels to ink, ink to a glyph. Knows nothing of networks."""

from tenfold.errors import PictureError
from tenfold.picture.contrast import contrast, evenly_lit
from tenfold.picture.decode import SUFFIXES, Source, content_of, decode, decode_again, decode_marked, n_pixels
from tenfold.picture.glyph import glyph, is_glyph
from tenfold.picture.ink import Ink, grey, has_dark_rim, ink, inks, main_part
from tenfold.picture.pages import SUFFIXES_WITH_PAGES, pages

__all__ = [
    "SUFFIXES",
    "SUFFIXES_WITH_PAGES",
    "Ink",
    "PictureError",
    "Source",
    "content_of",
    "contrast",
    "decode",
    "decode_again",
    "decode_marked",
    "evenly_lit",
    "glyph",
    "grey",
    "has_dark_rim",
    "ink",
    "inks",
    "is_glyph",
    "main_part",
    "n_pixels",
    "pages",
]
