import codecs

import pytest

from thaw.data.table_file import read_table
from thaw.errors import UserError

PLAIN = [(1, ["path", "label"]), (2, ["0.png", "猫"]), (3, ["1.png", "dog"])]


@pytest.fixture
def read(tmp_path):
    """A function of bytes or text that returns the rows, if read in one way."""

    def read_bytes(contents, name="labels.csv"):
        if isinstance(contents, str):
            contents = contents.encode()
        (tmp_path / name).write_bytes(contents)
        (rows,) = read_table(tmp_path / name).values()
        return [tuple(row) for row in rows]

    return read_bytes


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    "encode",
    [
        str.encode,
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
    ],
)
def test_delimiters_line_ends_and_encodings(read, delimiter, end, encode):
    lines = [delimiter.join(cells) for _, cells in PLAIN]
    assert read(encode(end.join(lines))) == PLAIN
    assert read(encode(end.join([*lines, ""])), "labels.tsv") == PLAIN


def test_the_first_line_of_excel_may_name_the_delimiter(read):
    assert read("sep=;\npath;a,b\n0.png;x,y\n") == [
        (2, ["path", "a,b"]),
        (3, ["0.png", "x,y"]),
    ]


def test_quotes_also_after_a_space(read):
    text = 'path, label\n0.png, "fish, small"\n"1.png","a ""big"" one"\n'
    assert read(text)[1:] == [
        (2, ["0.png", "fish, small"]),
        (3, ["1.png", 'a "big" one']),
    ]


def test_empty_rows_and_cells_at_the_end_are_left_out(read):
    rows = read("path,label,,\n\n0.png,a,,\n,,,\n , \n1.png,b\n,\n")
    assert rows == [
        (1, ["path", "label"]),
        (3, ["0.png", "a"]),
        (6, ["1.png", "b"]),
    ]


def test_lines_are_counted_over_cells_with_line_breaks(read):
    rows = read('path,note,label\n0.png,"a\nb",x\n1.png,,y\n')
    assert [line for line, _ in rows] == [1, 2, 4]
    assert rows[1][1] == ["0.png", "a\nb", "x"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("path,label\n0.png,a\n1.png,fish, small", "line 3 has 3 cells, where"),
        (
            "path,label\n0.png\n1.png,a",
            "line 2 has 1 cell, where line 1 has 2",
        ),
        ("path,label\n0.png\n1.png", "1 more lines don't fit"),
        ("path\tlabel\n0.png a\n", "line 2 has 1 cell"),
        (
            'path,label\n0.png,a\n1.png,"fish\n2.png,b\n',
            "line 3: unexpected end",
        ),
        ('path,label\n0.png,"a" b\n', "line 2: ',' expected after '\"'"),
        ("path\n0.png\n", "fewer than two columns. Its first line is 'path'"),
        ("", "fewer than two columns. Its first line is ''"),
        ("path,label\n0.png,a\0\n", "not a table in UTF-8 or UTF-16"),
        ("path,label\n0.png,S\xe4ge".encode("cp1252"), r"UTF-16 \(line 2: inv"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "not a table in UTF-8 or UTF-16"),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(read, text, words):
    with pytest.raises(UserError, match=words):
        read(text)


def test_errors_show_a_few_cells_only(read):
    header = ",".join(["label", *(f"pixel{i}" for i in range(784))])
    with pytest.raises(UserError, match="and 780 more") as error:
        read(f"{header}\n1,2\n")
    assert len(str(error.value)) < 500


def test_two_delimiters_that_fit_are_two_readings(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("path,label;note\n0.png,a;x\n", encoding="utf-8")
    assert list(read_table(path)) == [",", ";"]
    path.write_text("path,label;note\n0.png,a\n", encoding="utf-8")
    assert list(read_table(path)) == [","]
