import functools
import http.server
import sys
import threading

import fsspec
import pytest

from thaw.data import remote
from thaw.data.shard_names import find_shards
from thaw.errors import UserError


def test_addresses_and_paths():
    for address in ("s3://bucket/1.jpg", "HTTPS://host/", "hf://datasets/a"):
        assert remote.is_remote(address)
    for path in ("photos", "/a/b.tar", "C:\\photos", "C://photos", "a:/b"):
        assert not remote.is_remote(path)


def test_without_fsspec_the_pip_line_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(
        UserError, match=r"takes fsspec: pip install -e '\.\[re"
    ):
        remote.list_files("s3://bucket/photos")


def test_what_a_store_raises_is_one_message(tmp_path, monkeypatch):
    files = fsspec.filesystem("memory")
    calls = []

    def fail(error):
        def cat_file(self, path, **_):
            calls.append(path)
            raise error

        monkeypatch.setattr(type(files), "cat_file", cat_file)
        with pytest.raises(UserError) as raised:
            remote.fetch(["memory://photos/1.jpg"], tmp_path)
        return str(raised.value)

    monkeypatch.setattr(remote, "_PAUSE_SECONDS", 0)
    message = fail(PermissionError("Access Denied"))
    assert message.startswith(
        "memory://photos/1.jpg: no permission (Access Denied)"
    )
    assert len(calls) == 2  # tried again
    message = fail(TimeoutError("gone"))
    assert message == "memory://photos/1.jpg can't be read: gone."
    assert not list(tmp_path.iterdir())


def test_a_second_try_helps(tmp_path, monkeypatch):
    files = fsspec.filesystem("memory")
    original, calls = type(files).cat_file, []

    def cat_file(self, path, **kwargs):
        calls.append(path)
        if len(calls) == 1:
            raise ConnectionResetError
        return original(self, path, **kwargs)

    monkeypatch.setattr(remote, "_PAUSE_SECONDS", 0)
    monkeypatch.setattr(type(files), "cat_file", cat_file)
    files.pipe("/once/[1].jpg", b"photo")
    try:
        (path,) = remote.fetch(["memory://once/[1].jpg"], tmp_path)
    finally:
        files.rm("/once", recursive=True)
    assert open(path, "rb").read() == b"photo"


def test_a_version_changes_with_the_file():
    files = fsspec.filesystem("memory")
    versions = []
    try:
        for contents in (b"a", b"b"):
            files.pipe("/version.tar", contents)
            versions.append(remote.version("memory://version.tar"))
    finally:
        files.rm("/version.tar")
    assert versions[0][0] == versions[1][0] == 1
    assert versions[0] != versions[1]


def test_files_at_http(tmp_path):
    pytest.importorskip("aiohttp", reason="no aiohttp")
    (tmp_path / "a.jpg").write_bytes(b"photo")
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=tmp_path
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            root = f"http://127.0.0.1:{server.server_port}"
            names = [f"{root}/a.jpg", f"{root}/gone.jpg"]
            (tmp_path / "copies").mkdir()
            found = remote.fetch(names, tmp_path / "copies")
            assert open(found[0], "rb").read() == b"photo"
            with pytest.raises(FileNotFoundError):
                open(found[1])
            with remote.opened(names[0]) as file:
                assert file.read() == b"photo"
            assert remote.version(names[0])[0] == 5
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_files_in_s3(tmp_path, monkeypatch):
    pytest.importorskip("s3fs", reason="no s3fs")
    server_module = pytest.importorskip("moto.server", reason="no moto")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        files = fsspec.filesystem("s3", skip_instance_cache=True)
        files.mkdir("photos")
        for name in ("a/1.jpg", "a/2.jpg", "b.tar"):
            files.pipe(f"photos/{name}", name.encode())
        names = remote.list_files("s3://photos/a")
        assert names == ["s3://photos/a/1.jpg", "s3://photos/a/2.jpg"]
        found = remote.fetch([*names, "s3://photos/a/3.jpg"], tmp_path)
        assert [open(x, "rb").read() for x in found[:2]] == [
            b"a/1.jpg",
            b"a/2.jpg",
        ]
        assert len(list(tmp_path.iterdir())) == 2
        size, version = remote.version("s3://photos/b.tar")
        assert size == 5 and "ETag" in version
        assert find_shards("s3://photos/a/") == []
        with pytest.raises(UserError, match="There is no s3://gone/b.tar"):
            remote.version("s3://gone/b.tar")
        for content in (b"first", b"second"):
            remote.write("s3://photos/new/a", content, replace=False)
            assert remote.read("s3://photos/new/a") == b"first"
            assert remote.names_under("s3://photos/new") == {"a"}
        remote.write("s3://photos/new/a", b"third")
        assert remote.read("s3://photos/new/a") == b"third"
        assert remote.names_under("s3://photos/n") == set()
        with pytest.raises(UserError, match="s3://gone/a"):
            remote.write("s3://gone/a", b"")
    finally:
        server.stop()
