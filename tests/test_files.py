"""Files are written whole or not at all, and an error names the file that it is about."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wolf_chatbox.errors import CheckpointError
from wolf_chatbox.files import new_file, new_path, write_folder


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A disk that refuses what is larger, as a full one would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_source_that_cannot_be_read_is_not_blamed_on_the_output(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="source"), new_file(tmp_path / "out.txt") as file:
        file.write((tmp_path / "source.txt").read_text())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("characters", [100, 1_000_000])
def test_a_disk_that_refuses_is_an_error_of_the_output(tmp_path: Path, characters: int) -> None:
    """Whether it refuses while the block writes, or when the rest is written at its end."""
    (tmp_path / "out.txt").write_text("as it was")
    with (
        files_of_at_most(10),
        pytest.raises(CheckpointError, match=r"out\.txt: cannot be written \(.*\)\. Choose another file name\."),
        new_file(tmp_path / "out.txt", overwrite=True) as file,
    ):
        file.write("x" * characters)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["as it was"]


def test_a_file_has_a_remedy_of_a_file_and_a_folder_that_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="Choose another file name"), new_file(tmp_path / "none" / "a.html"):
        pass
    with pytest.raises(CheckpointError, match="Choose another output folder"):
        write_folder(tmp_path / "file" / "model", lambda folder: None)


def test_a_new_file_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    with new_file(tmp_path / "out.txt", mode=0o600) as file:
        assert Path(file.name) != tmp_path / "out.txt"
        file.write("ギース\n")
    assert (tmp_path / "out.txt").read_bytes() == "ギース\n".encode()
    assert (tmp_path / "out.txt").stat().st_mode & 0o777 == 0o600


def test_a_path_for_a_library_is_whole_or_not_at_all(tmp_path: Path) -> None:
    place = tmp_path / "out.bin"
    place.write_bytes(b"old")

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyError("the library failed")

    with pytest.raises(KeyError), new_path(place) as path:
        fail(path)
    with pytest.raises(CheckpointError, match="cannot be written"), files_of_at_most(3), new_path(place) as path:
        path.write_bytes(b"longer")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.bin", b"old")]
    with new_path(place) as path:
        path.write_bytes(b"new")
        assert place.read_bytes() == b"old"
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("out.bin", b"new")]
