"""Archives: members are checked before anything is read, files appear when complete."""

import io
import stat
import zipfile

import pytest

import hornbeam as keras
from hornbeam.core import strict_json
from hornbeam.core.errors import DamagedFileError, UnsafeFileError
from hornbeam.saving import archive


def zip_of(path, members, **kwargs):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **kwargs) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def link():
    info = zipfile.ZipInfo("assets/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


MEMBERS = {
    "parent": [("../x", b"")],
    "absolute": [("/abs/x", b"")],
    "drive": [("C:\\x", b"")],
    "drive_slash": [("C:/x", b"")],
    "inner_parent": [("a/../../x", b"")],
    "backslash": [("a\\..\\x", b"")],
    "long": [("x" * 5000, b"")],
    "dot": [("./config.json", b"")],
    "twice": [("config.json", b"{}"), ("config.json", b"{}")],
    "link": [(link(), b"/etc/passwd")],
    "many": [(f"assets/{i}", b"") for i in range(10_001)],
    "bomb": [("config.json", b" " * (200 << 20))],
    "bomb_in_assets": [("config.json", b"{}"), ("assets/a", bytes(200 << 20))],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", MEMBERS)
def test_bad_members_are_refused(tmp_path, name, audit):
    path = zip_of(tmp_path / "x.keras", MEMBERS[name])
    with audit(path), pytest.raises(UnsafeFileError), archive.opened(path):
        pass


def test_a_nul_in_a_name_is_refused(tmp_path):
    path = zip_of(tmp_path / "x.keras", [("config_json", b"{}")])
    path.write_bytes(path.read_bytes().replace(b"config_json", b"config\0json"))
    with pytest.raises(UnsafeFileError), archive.opened(path):
        pass


def test_a_false_size_is_damage(tmp_path):
    path = zip_of(tmp_path / "x.keras", [("config.json", b"a" * 4000)])
    data = path.read_bytes()
    size = (4000).to_bytes(4, "little")
    path.write_bytes(data.replace(size, (100).to_bytes(4, "little")))
    with (
        archive.opened(path) as reader,
        pytest.raises(DamagedFileError, match="damaged"),
    ):
        reader.read("config.json")


@pytest.mark.parametrize("as_path", [True, False])
def test_a_changed_weight_is_damage(tmp_path, as_path):
    model = keras.Sequential([keras.Input((40,)), keras.layers.Dense(30)])
    model.save(tmp_path / "x.keras")
    data = bytearray((tmp_path / "x.keras").read_bytes())
    kernel = model.get_weights()[0].tobytes()
    data[data.index(kernel[:400]) + 100] ^= 1
    (tmp_path / "x.keras").write_bytes(data)
    source = tmp_path / "x.keras" if as_path else io.BytesIO(data)
    with pytest.raises(DamagedFileError, match="its checksum is another"):
        keras.models.load_model(source)
    with pytest.raises(DamagedFileError, match="its checksum is another"):
        model.load_weights(tmp_path / "x.keras")
    assert model.get_weights()[0].tobytes() == kernel


def test_links_in_folders_are_refused(tmp_path):
    (tmp_path / "config.json").symlink_to("/etc/passwd")
    with pytest.raises(UnsafeFileError), archive.opened(tmp_path):
        pass


def test_archives_are_read(tmp_path):
    members = [("config.json", b"{}"), ("assets/a/b.txt", b"text")]
    path = zip_of(tmp_path / "x.keras", members)
    for source in (path, io.BytesIO(path.read_bytes())):
        with archive.opened(source) as reader:
            assert reader.read("config.json") == b"{}"
            with archive.extracted_assets(reader) as folder:
                assert (folder / "a" / "b.txt").read_text() == "text"
            assert not folder.exists()
            with pytest.raises(UnsafeFileError, match="at most 1"):
                reader.read("config.json", max_bytes=1)
            with pytest.raises(DamagedFileError, match="has no 'x'"):
                reader.read("x")


BAD_JSON = {
    "deep_list": "[" * 100_000 + "]" * 100_000,
    "deep": "[" * 300 + "]" * 300,
    "twice": '{"a": 1, "a": 2}',
    "surrogate": '{"a": "\\ud800"}',
    "surrogate_key": '{"\\ud800": 1}',
    "many": "[" + "0," * 2_000_001 + "0]",
    "long": '"' + "x" * (33 << 20) + '"',
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_json_has_limits(name):
    with pytest.raises(UnsafeFileError, match="what"):
        strict_json.loads(BAD_JSON[name], "what")


@pytest.mark.parametrize("text", ["", "{", b"\xff", "1" * 5000, "{'a': 1}"])
def test_what_is_no_json_is_damaged(text):
    with pytest.raises(DamagedFileError, match="damaged"):
        strict_json.loads(text, "what")


def test_json_is_read():
    assert strict_json.loads(b'{"a": [1, NaN, "\\u00e9"]}', "x")["a"][2] == "é"
