from thaw.errors import first_line, shown, valid_utf8


def test_names_are_shown_without_control_codes():
    assert shown("a b/\u00fc\u4e2d.jpg") == "a b/\u00fc\u4e2d.jpg"
    assert shown("\x1b[31mred\n.jpg") == "\\x1b[31mred\\n.jpg"
    assert shown("\udcff.jpg") == "\udcff.jpg"  # a byte; stdout writes it


def test_bytes_that_are_not_utf_8_become_question_marks():
    assert valid_utf8("\u00fc\udcff.jpg") == "\u00fc?.jpg"


def test_the_first_line_of_an_error_is_one_short_sentence():
    assert first_line(ValueError("  No file.\nSee above")) == "No file."
    assert first_line(ValueError()) == "ValueError."
    assert len(first_line(ValueError("x" * 999))) == 201
