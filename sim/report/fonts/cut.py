"""Cut the fonts for what the first font lacks: ``python cut.py NotoSansCJK-Regular.ttc``.

Needs fonttools and cffsubr, which packs outlines more tightly. README.md says where the whole font
comes from. The same input and versions give the same bytes.
"""

from __future__ import annotations

import sys
import unicodedata
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from fontTools import subset
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

HERE = Path(__file__).parent
FIRST = HERE / "NotoSansSC-Regular-GB2312.otf"
# Each file stays below 2 MiB. The dashboard's style.css has the same ends.
ENDS = {1: 0x4E00, 2: 0x8400, 3: 0x110000}
HANGUL = ((0x1100, 0x1200), (0x3130, 0x3190), (0xA960, 0xA980), (0xAC00, 0xD800), (0xFFA0, 0xFFE0))
DROPPED = ["GSUB", "GPOS", "GDEF", "vhea", "vmtx", "VORG", "DSIG", "BASE"]
# Unicode's Default_Ignorable_Code_Point: joiners, marks of direction, variation selectors, …
IGNORABLE = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
EPOCH = 3_600_000_000  # of the last font's dates, seconds since 1904


def cut_rest(collection: Path) -> None:
    """What the whole font has beyond the first one, Hangul aside, in files by code point."""
    faces = TTCollection(collection).fonts
    known = TTFont(FIRST).getBestCmap()
    with TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.otf"
        next(f for f in faces if f["name"].getDebugName(1) == "Noto Sans CJK SC").save(whole)
        rest = [
            code
            for code in TTFont(whole).getBestCmap()
            if code not in known and not any(low <= code < high for low, high in HANGUL)
        ]
        start = 0
        for number, end in ENDS.items():
            _cut(whole, [code for code in rest if start <= code < end], number)
            start = end


def _cut(whole: Path, codes: list[int], number: int) -> None:
    options = subset.Options(
        layout_features=[], hinting=False, desubroutinize=True, name_IDs=["*"], notdef_outline=True
    )
    options.drop_tables += DROPPED
    with subset.load_font(str(whole), options, lazy=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(font)
        _rename(font, f"Noto Sans SC More {number}", f"NotoSansSCMore{number}-Regular")
        import_module("cffsubr").subroutinize(font)
        font.save(HERE / f"NotoSansSC-Regular-More{number}.otf")


def _rename(font: TTFont, family: str, postscript: str) -> None:
    """A family's name of its own, so that each file can be asked for."""
    names = font["name"]
    kept = [record for record in names.names if record.nameID in (0, 5, 7, 8, 9, 11, 13, 14)]
    names.names = [record for record in kept if record.langID == 0x409]
    own = {1: family, 2: "Regular", 3: postscript, 4: family, 6: postscript}
    for place, text in own.items():
        names.setName(text, place, 3, 1, 0x409)
    font["CFF "].cff.fontNames = [postscript]


def make_box() -> None:
    """A last font that has all of Unicode: nothing for what cannot be seen, else one box."""
    glyphs = {".notdef": _box(), "box": _box(), "none": TTGlyphPen(None).glyph()}
    glyphs["space"] = glyphs["none"]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({})
    builder.setupGlyf(glyphs)
    widths = {".notdef": 1000, "box": 1000, "none": 0, "space": 500}
    builder.setupHorizontalMetrics({name: (width, 0) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    names = {"familyName": "Pudong Box", "fullName": "Pudong Box", "psName": "PudongBox"}
    builder.setupNameTable(names | {"styleName": "Regular"}, mac=False)
    ends = {"sTypoAscender": 880, "sTypoDescender": -120, "usWinAscent": 880, "usWinDescent": 120}
    builder.setupOS2(fsType=0, **ends)
    builder.setupPost()
    table = CmapSubtable.newSubtable(13)  # many code points to one glyph
    table.platformID, table.platEncID, table.language = 3, 10, 0
    table.cmap = {code: _shown_as(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000}
    font = builder.font
    font["cmap"].tables = [table]
    font["head"].created = font["head"].modified = EPOCH
    font.recalcTimestamp = False
    font.save(HERE / "Box.ttf")


def _shown_as(code: int) -> str:
    kind = unicodedata.category(chr(code))
    if kind == "Zs" or chr(code) == "\t":
        return "space"
    unseen = kind in ("Cc", "Zl", "Zp") or any(low <= code <= high for low, high in IGNORABLE)
    return "none" if unseen else "box"


def _box() -> object:
    """An upright frame, as wide as a Chinese character."""
    pen = TTGlyphPen(None)
    for left, low, right, high in ((120, -60, 880, 800), (820, 0, 180, 740)):
        pen.moveTo((left, low))
        for corner in ((left, high), (right, high), (right, low)):
            pen.lineTo(corner)
        pen.closePath()
    return pen.glyph()


if __name__ == "__main__":
    make_box()
    cut_rest(Path(sys.argv[1]))
