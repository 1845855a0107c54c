from ablate.colorization.data.sources.folder import find_photographs


def test_photographs_are_found_at_any_depth_in_order(tmp_path):
    for name in ["b.jpg", "a/z.PNG", "a/deep/er/x.JPeG", "a/y.webp", "c.jpeg"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found, others = find_photographs(tmp_path)
    assert [name for name, _ in found] == ["a/deep/er/x.JPeG", "a/y.webp", "a/z.PNG", "b.jpg", "c.jpeg"]
    assert [path for _, path in found] == [tmp_path / name for name, _ in found]
    assert others == []


def test_other_files_are_told_and_hidden_ones_are_not(tmp_path):
    for name in ["a.jpg", "notes.txt", "no_suffix", "sub/b.gif", ".hidden.jpg", ".git/c.jpg", "sub/._a.jpg"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found, others = find_photographs(tmp_path)
    assert [name for name, _ in found] == ["a.jpg"]
    assert others == ["no_suffix", "notes.txt", "sub/b.gif"]


def test_a_hidden_root_is_searched(tmp_path):
    root = tmp_path / ".photographs"
    root.mkdir()
    (root / "a.jpg").touch()
    assert [name for name, _ in find_photographs(root)[0]] == ["a.jpg"]


def test_links_are_followed_and_loops_are_not(tmp_path):
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    (root / "sub").mkdir(parents=True)
    elsewhere.mkdir()
    (root / "sub" / "a.jpg").touch()
    (elsewhere / "b.jpg").touch()
    (root / "sub" / "up").symlink_to(root)
    (root / "sub" / "self").symlink_to(root / "sub")
    (root / "linked").symlink_to(elsewhere)
    (root / "one.jpg").symlink_to(elsewhere / "b.jpg")
    assert [name for name, _ in find_photographs(root)[0]] == ["linked/b.jpg", "one.jpg", "sub/a.jpg"]


def test_an_empty_folder_holds_nothing(tmp_path):
    assert find_photographs(tmp_path) == ([], [])
