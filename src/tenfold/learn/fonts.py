"""Further fonts of Debian for words and printed numbers on composed pages: writing by many hands, and print of many kinds.

Only `make bundled` needs them. Those that pages are measured with (Liberation, breip, bwht, dkg-handwriting, femkeklaver) are
not among them.
"""

from __future__ import annotations

from pathlib import Path

from tenfold.errors import DataError

_PACKAGES = (
    "comic-neue dancingscript ebgaramond ecolier-court fantasque-sans georgewilliams havana humor-sans isabella jetbrains-mono "
    "jura kaushanscript kiloji klee kristi lato leckerli-one lobster lobstertwo ocr-a ocr-b oldstandard open-sans opendyslexic "
    "roboto-unhinted rufscript seto sjfonts tlwg-purisa-ttf tomsontalks yozvox-yozfont-edu yusei-magic"
)
_BY_HAND = (
    "Delphine SteveHand Kristi YuseiMagic-Regular Humor-Sans LeckerliOne-Regular setofont Ecolier-court Rufscript010 kiloji "
    "kiloji_d YOzBE_ YOzRE_i YOzREX YOzREF TomsonTalks Purisa Purisa-Bold Purisa-Oblique KleeOne-Regular Havana-Regular "
    "ComicNeue-Regular DancingScript-Regular lobster LobsterTwo-Regular KaushanScript-Regular Isabella CaslonItalic Cupola"
)
_IN_PRINT = (
    "Roboto-Regular OpenSans-Regular Lato-Light Lato-Bold GWMonospace OCRA OCRB JetBrainsMono-Regular OpenDyslexic-Regular "
    "EBGaramond12-Regular Jura-Medium Caliban FantasqueSansMono-Regular OldStandard-Regular"
)
NAMES = (*_BY_HAND.split(), *_IN_PRINT.split())


def of_debian(folder: Path = Path("/usr/share/fonts")) -> list[Path]:
    """The files of these fonts, always in the same order.

    Raises:
        DataError: one is not installed.
    """
    files = {file.stem: file for file in sorted(folder.rglob("*")) if file.suffix in (".ttf", ".otf")}
    if missing := [name for name in NAMES if name not in files]:
        packages = " ".join(f"fonts-{name}" for name in _PACKAGES.split())
        raise DataError(f"{folder}: {len(missing)} fonts are missing, {missing[0]} first; run apt-get install {packages}")
    return [files[name] for name in NAMES]
