import io
from email.message import Message

import pytest

from thaw.serving import uploads
from thaw.serving.guard import Refused


def headers(*fields):
    message = Message()
    for name, value in fields:
        message[name] = value
    return message


def form_of(*parts, boundary="b0undary", before=b"", after=b""):
    """Returns the body of a form, of (head, content), and its headers."""
    body = b"".join(
        b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), head, content)
        for head, content in parts
    )
    body = before + body + b"--" + boundary.encode() + b"--\r\n" + after
    kind = f'multipart/form-data; boundary="{boundary}"'
    return body, headers(("Content-Type", kind))


def file_head(name):
    return b'Content-Disposition: form-data; name="p"; filename="%b"' % name


def receive(body, fields, folder):
    return uploads.receive(io.BytesIO(body), len(body), fields, str(folder))


def contents(sent):
    return [(x.name, open(x.path, "rb").read()) for x in sent]


def test_a_body_is_one_photo(tmp_path):
    sent = receive(b"\xff\xd8 a photo", headers(), tmp_path)
    assert sent.name is None
    assert contents([sent]) == [(None, b"\xff\xd8 a photo")]


def test_a_form_gives_its_files_byte_for_byte(tmp_path):
    every_byte = bytes(range(256))
    hard = [
        b"",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n--",
        b"\r\n--b0undar",
        b"--b0undary--",
        b"\r\n\r\n" + every_byte + b"\r\n\r\n",
        100 * every_byte,
    ]
    names = [b"%d.jpg" % i for i in range(len(hard))]
    body, fields = form_of(
        *zip(map(file_head, names), hard, strict=True),
        before=b"words to skip\r\n",
        after=b"and more",
    )
    sent = receive(body, fields, tmp_path)
    assert contents(sent) == [
        (name.decode(), content)
        for name, content in zip(names, hard, strict=True)
    ]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (file_head(b"../../etc/passwd"), "../../etc/passwd"),
        (file_head("\u00fc\u4e2d.jpg".encode()), "\u00fc\u4e2d.jpg"),
        (file_head(b"\xff.jpg"), "\ufffd.jpg"),
        (file_head(rb"a \"b\".jpg"), 'a "b".jpg'),
        (
            b"Content-Disposition: form-data; filename*=utf-8''%C3%BC.jpg",
            "\u00fc.jpg",
        ),
        (b"content-disposition:form-data;filename=plain.jpg", "plain.jpg"),
    ],
)
def test_names_are_kept_as_words_and_are_no_paths(tmp_path, head, name):
    body, fields = form_of((head, b"photo"))
    (sent,) = receive(body, fields, tmp_path)
    assert sent.name == name
    assert sent.path == str(tmp_path / "0")


def test_fields_that_are_no_files_are_passed_over(tmp_path):
    no_file = b'Content-Disposition: form-data; name="top"'
    odd_charset = b"Content-Disposition: form-data; filename*=a\0b''x"
    body, fields = form_of(
        (no_file, b"3"),
        (file_head(b""), b""),
        (odd_charset, b"x"),
        (b"", b"no head"),
        (file_head(b"a"), b"photo"),
    )
    assert contents(receive(body, fields, tmp_path)) == [("a", b"photo")]


WHOLE, FIELDS = form_of((file_head(b"a.jpg"), 50 * b"photo"))


@pytest.mark.parametrize("length", range(0, len(WHOLE) - 4, 3))
def test_a_form_that_was_cut_is_refused(tmp_path, length):
    with pytest.raises(Refused) as error:
        receive(WHOLE[:length], FIELDS, tmp_path)
    assert error.value.status == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xd8 a photo without a form",
        b"--b0undary--\r\n",
        form_of((5000 * b"x", b"a long head"))[0],
        form_of(*(1001 * [(b"A: b", b"")]))[0],
        form_of((file_head(b"a"), b"1"), boundary="other")[0],
    ],
)
def test_a_form_without_photos_is_refused(tmp_path, body):
    with pytest.raises(Refused) as error:
        receive(body, FIELDS, tmp_path)
    assert error.value.status == 400


def test_a_form_needs_its_boundary(tmp_path):
    fields = headers(("Content-Type", "multipart/form-data"))
    with pytest.raises(Refused, match="No photo in the form"):
        receive(WHOLE, fields, tmp_path)


def test_a_body_that_ends_early_is_refused(tmp_path):
    with pytest.raises(Refused, match="ended early"):
        uploads.receive(io.BytesIO(b"half"), 8, headers(), str(tmp_path))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([], 411),
        ([("Transfer-Encoding", "chunked")], 411),
        ([("Transfer-Encoding", "chunked"), ("Content-Length", "5")], 411),
        ([("Content-Length", "101")], 413),
        ([("Content-Length", 5000 * "9")], 413),
        ([("Content-Length", "-1")], 400),
        ([("Content-Length", "+1")], 400),
        ([("Content-Length", "1_0")], 400),
        ([("Content-Length", "\u0661")], 400),
        ([("Content-Length", "")], 400),
        ([("Content-Length", "5"), ("Content-Length", "6")], 400),
    ],
)
def test_lengths_that_are_refused(fields, status):
    with pytest.raises(Refused) as error:
        uploads.length_of(headers(*fields), 100)
    assert error.value.status == status


def test_lengths_that_are_not():
    for number in ("0", "100", "0000000000000000100"):
        fields = headers(("Content-Length", number))
        assert uploads.length_of(fields, 100) == int(number)
