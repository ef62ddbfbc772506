import os

from tests.support.trees import make_files
from thaw.data.folder_tree import read_tree


def described(folder):
    """Returns a folder as (name, photos, total, others, folders)."""
    return (
        folder.name,
        folder.photos,
        folder.total,
        folder.others,
        [described(inner) for inner in folder.folders],
    )


def test_photos_are_counted_by_folder(tmp_path):
    root = tmp_path / "root"
    make_files(root, "b/1.jpg", "b/x/2.PNG", "a/notes.txt", "3.jpg", "t.csv")
    make_files(root, ".hidden/4.jpg", "b/Thumbs.db")
    os.mkfifo(root / "b" / "pipe.jpg")
    tree = read_tree(root)
    assert described(tree) == (
        "root", 1, 3, 0,
        [("a", 0, 0, 1, []), ("b", 1, 2, 0, [("x", 1, 1, 0, [])])],
    )  # fmt: skip
    assert tree.tables == [str(root / "t.csv")] and tree.names() == {"b"}
    assert read_tree(root, [root / "b" / "x"]).total == 2


def test_links_are_followed_inside_once(tmp_path):
    root = tmp_path / "root"
    make_files(
        tmp_path, "outside/1.jpg", "root/cat/1.jpg", "root/.store/x/1.jpg"
    )
    for name, target in [
        ("ant", "cat"), ("bee", ".store/x"), ("cat/up", ".."),
        ("cat/self", "self"), ("dog", "../outside"), ("cat/2.jpg", "1.jpg"),
    ]:  # fmt: skip
        (root / name).symlink_to(target)
    assert described(read_tree(root)) == (
        "root", 0, 3, 0,
        [
            ("ant", 0, 0, 0, []),
            ("bee", 1, 1, 0, []),
            ("cat", 2, 2, 0, [("up", 0, 0, 0, [])]),
            ("dog", 0, 0, 0, []),
        ],
    )  # fmt: skip
