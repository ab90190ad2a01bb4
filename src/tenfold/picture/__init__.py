"""What one picture is: bytes to pixels, pixels to ink, ink to a glyph. Knows nothing of networks."""

from tenfold.picture.decode import Source, decode, decode_marked
from tenfold.picture.glyph import glyph, is_glyph
from tenfold.picture.ink import Ink, has_dark_rim, ink

__all__ = ["Ink", "Source", "decode", "decode_marked", "glyph", "has_dark_rim", "ink", "is_glyph"]
