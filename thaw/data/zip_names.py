"""Names of the members of a ZIP file, whose encoding may be unknown.

Names are UTF-8 if a flag says so, or stand in a Unicode Path Extra Field
(APPNOTE.TXT 4.4.4, 4.6.9). Others are code page 437 by the specification, but
macOS writes UTF-8, and Windows the code page of its country.
"""

import shlex
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator

from thaw.errors import UserError, list_some

_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
# Of Windows and MS-DOS; of GBK and code page 949 the part in common use.
_ENCODINGS = ("gb2312", "big5", "cp932", "euc_kr", "cp850", "cp852", "cp866")
_RARE = ("gbk", "cp949")
_SCRIPTS = (
    {"LATIN"},
    {"CYRILLIC"},
    {"HANGUL"},
    {"CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
)
_ENOUGH = 4  # letters that are valid UTF-8 are not so by chance
_SHOWN = 3


def member_names(
    opened: zipfile.ZipFile, labels_in_names: bool = False
) -> tuple[list[str], str | None]:
    """Returns the names of all members, and the encoding that was guessed.

    Args:
        opened: ZIP file.
        labels_in_names: Whether names of files matter as those of folders do.

    Returns:
        Names in the order of `infolist`. The encoding is None where the file
        tells it, or no other than code page 437 is likely.

    Raises:
        UserError: If there are several likely encodings, or none.
    """
    names = [_told_name(info) for info in opened.infolist()]
    untold = [name for name in names if isinstance(name, bytes)]
    words = {word for raw in untold for word in _words(raw, labels_in_names)}
    encoding = _find_encoding(opened.filename, untold, words)
    decoded = [
        x.decode(encoding or "cp437") if isinstance(x, bytes) else x
        for x in names
    ]
    return decoded, encoding


def _told_name(info):
    """Returns a name; as bytes if the encoding isn't told."""
    name = info.orig_filename
    if info.flag_bits & _UTF8_FLAG or name.isascii():
        return name
    raw = name.encode("cp437")  # as which zipfile has read it
    version_and_sum = struct.pack("<BL", 1, zlib.crc32(raw))
    for kind, field in _extra_fields(info.extra):
        if kind == _UNICODE_PATH and field.startswith(version_and_sum):
            return field[len(version_and_sum) :].decode()
    return raw


def _extra_fields(extra) -> Iterator[tuple[int, bytes]]:
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        yield kind, extra[4 : 4 + length]
        extra = extra[4 + length :]


def _words(raw, with_files):
    """Returns the parts of a name that hold labels and aren't ASCII."""
    *folders, file = raw.replace(b"\\", b"/").split(b"/")
    if with_files:
        folders.append(file.rpartition(b".")[0] or file)
    return [word for word in folders if not word.isascii()]


def _find_encoding(archive, names, words):
    """Returns the encoding of names, None if it may be code page 437."""
    if _are_utf8(names):
        return "utf-8"
    if not words or _is_likely(_decode(words, "cp437")):
        return None
    readings = {x: _decode(words, x) for x in (*_ENCODINGS, *_RARE)}
    readings = {x: texts for x, texts in readings.items() if texts}
    likely = {
        encoding: texts
        for encoding, texts in readings.items()
        if encoding in _ENCODINGS and _is_likely(texts)
    }
    if len(set(map(tuple, likely.values()))) == 1:
        return next(iter(likely))
    shown = likely or readings
    examples = "\n".join(
        f"  {encoding}: {list_some(sorted(texts), _SHOWN)}"
        for encoding, texts in shown.items()
    )
    raise UserError(
        f"{archive} doesn't record the encoding of its file names. They may "
        f"be:\n{examples}\nUnpack it with the right one, and give the folder: "
        f"python -m zipfile --metadata-encoding={next(iter(shown))} --extract "
        f"{shlex.quote(str(archive))} FOLDER"
    )


def _are_utf8(names):
    texts = _decode(names, "utf-8")
    letters = {x for text in texts for x in text if not x.isascii()}
    if len(letters) < _ENOUGH and max(letters, default="") < "\u0800":
        words = [word for raw in names for word in _words(raw, True)]
        return bool(texts) and _is_likely(_decode(words, "utf-8"))
    return True


def _decode(words, encoding):
    """Returns words as text; [] where one is not of that encoding."""
    try:
        return [word.decode(encoding) for word in words]
    except UnicodeDecodeError:
        return []


def _is_likely(texts):
    """Returns whether texts look like words, each of them in one script."""
    return all(map(_is_word, texts))


def _is_word(text):
    text = unicodedata.normalize("NFC", text)
    own = [x for x in text if not x.isascii()]
    scripts = {unicodedata.name(x, "?").split()[0] for x in own}
    if not all(map(str.isalpha, own)):
        return False
    if any(map(_is_odd_pair, text, text[1:])):
        return False
    if scripts == {"LATIN"}:
        return any(x.isascii() and x.isalpha() for x in text)
    return any(scripts <= known for known in _SCRIPTS)


def _is_odd_pair(first, second):
    """Returns whether two letters are hardly found in this order in a word."""
    if not (first.isalpha() and second.isalpha()):
        return False
    if first.isascii() and second.isascii():
        return False
    if not (_is_latin(first) and _is_latin(second)):
        return _is_latin(first) or _is_latin(second)
    has_ascii = first.isascii() or second.isascii()
    return not has_ascii or (first.islower() and second.isupper())


def _is_latin(letter):
    return unicodedata.name(letter, "").startswith("LATIN ")
