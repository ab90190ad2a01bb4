import importlib

import pytest

import tenfold


def test_the_public_names_are_these() -> None:
    names = ["Classification", "Digit", "Digits", "Reader", "Reading", "Run", "TenfoldError", "load", "train"]
    assert tenfold.__all__ == names
    for name in names:
        assert getattr(tenfold, name).__name__ == name
        assert getattr(tenfold, name).__doc__
    assert set(names) <= set(dir(tenfold))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'reed'"):
        _ = tenfold.reed


def test_each_module_says_what_it_owns() -> None:
    from pathlib import Path

    root = Path(tenfold.__file__).parent
    for path in root.rglob("*.py"):
        name = ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
        if name != "tenfold.__main__":
            assert importlib.import_module(name).__doc__, name
