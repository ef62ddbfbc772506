"""Hostile models: the zip archive, and what is none."""

import io
import json
import struct
import zipfile

import numpy as np

from tests.support.hostile_files import CANARY, Opens, hostile, members, written


@hostile("'assets/vocabulary.txt'")
def member_too_many(folder):
    return written(folder, members() | {"assets/vocabulary.txt": "x"})


@hostile("'../../canary'")
def member_that_leads_out(folder):
    content = members()
    del content["metadata.json"]
    return written(folder, content | {"../../canary": "x"})


@hostile("'/tmp/canary'")
def member_from_the_root(folder):
    content = members()
    del content["metadata.json"]
    return written(folder, content | {"/tmp/canary": "x"})


@hostile("'model.weights.npz'")
def weights_that_are_a_pickle(folder):
    content = members()
    array = np.empty(1, object)
    array[0] = Opens(str(folder / CANARY))
    file = io.BytesIO()
    np.savez(file, array)
    del content["model.weights.h5"]
    return written(folder, content | {"model.weights.npz": file.getvalue()})


@hostile("its members are")
def member_missing(folder):
    content = members()
    del content["metadata.json"]
    return written(folder, content)


def _with_info(folder, **attributes):
    path = folder / "model.keras"
    content = members()
    content["config.json"] = json.dumps(content["config.json"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in content.items():
            info = zipfile.ZipInfo(name)
            if name == "config.json":
                for attribute, value in attributes.items():
                    setattr(info, attribute, value)
            archive.writestr(info, member)
    return path


@hostile("no plain file")
def member_that_is_a_link(folder):
    return _with_info(folder, external_attr=0o120777 << 16)


@hostile("packed in an odd way")
def member_packed_by_lzma(folder):
    return _with_info(folder, compress_type=zipfile.ZIP_LZMA)


@hostile("'config.json', .*'config.json'")
def config_that_is_there_twice(folder):
    content = members() | {"config.jsoN": json.dumps({})}
    path = written(folder, content)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"config.jsoN", b"config.json"))
    return path


@hostile("x00evil")
def name_that_ends_early(folder):
    content = members()
    del content["metadata.json"]
    path = written(folder, content | {"metadata.json_evil": "{}"})
    data = path.read_bytes()
    path.write_bytes(data.replace(b"json_evil", b"json\0evil"))
    return path


@hostile("encrypted")
def member_that_is_encrypted(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    return path


@hostile("grows to", bomb=True)
def weights_that_grow(folder):
    content = members() | {"model.weights.h5": bytes(60_000_000)}
    return written(folder, content, compression=zipfile.ZIP_DEFLATED)


@hostile("grows to", bomb=True)
def config_that_grows(folder):
    content = members() | {"config.json": " " * 20_000_000}
    return written(folder, content, compression=zipfile.ZIP_DEFLATED)


@hostile("bytes before")
def bytes_before_it(folder):
    path = written(folder, members())
    path.write_bytes(b"PK\x03\x04 a program" + path.read_bytes())
    return path


@hostile("does not end as")
def bytes_after_it(folder):
    path = written(folder, members())
    path.write_bytes(path.read_bytes() + b"a program")
    return path


@hostile("between its members|fill it")
def bytes_between(folder):
    path = written(folder, members())
    data = path.read_bytes()
    end = data.index(b"PK\x01\x02")
    tail = bytearray(data[end:])
    (begin,) = struct.unpack_from("<L", tail, len(tail) - 6)
    struct.pack_into("<L", tail, len(tail) - 6, begin + 100)
    path.write_bytes(data[:end] + bytes(100) + tail)
    return path


@hostile("two things")
def member_with_another_size(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    place = data.index(b"config.json") - 30
    struct.pack_into("<L", data, place + 22, 7)
    path.write_bytes(data)
    return path


@hostile("two things")
def member_with_another_name(folder):
    path = written(folder, members())
    data = path.read_bytes()
    path.write_bytes(data.replace(b"config.json", b"config.jsox", 1))
    return path


@hostile("between its members|bytes before")
def members_over_each_other(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", entry + 1)
    struct.pack_into("<L", data, second + 42, 0)
    path.write_bytes(data)
    return path


@hostile("bytes before|two places")
def directory_of_zip64(folder):
    path = written(folder, members())
    data = path.read_bytes()
    begin = data.index(b"PK\x01\x02")
    directory, end = data[begin:-22], data[-22:]
    record = struct.pack(
        "<4sQ2H2L4Q",
        *(b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, len(directory), begin),
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(data) - 22, 1)
    path.write_bytes(data[:-22] + record + locator + end)
    return path


@hostile("does not end as|whole")
def half_a_file(folder):
    path = written(folder, members())
    path.write_bytes(path.read_bytes()[:-1000])
    return path


@hostile("Bad CRC")
def changed_bytes(folder):
    path = written(folder, members())
    data = bytearray(path.read_bytes())
    data[data.index(b"Functional")] ^= 1
    path.write_bytes(data)
    return path
