"""Files are read again only when they have changed."""

from __future__ import annotations

import os
from pathlib import Path

from wolf_chatbox.reread import Reread


def test_a_file_is_read_once_until_it_changes_and_forgotten_when_it_is_gone(tmp_path: Path) -> None:
    path, read = tmp_path / "a", list[Path]()

    def text(file: Path) -> str:
        read.append(file)
        return file.read_text()

    said = Reread(text)
    assert said(path) is None
    path.write_text("one")
    assert [said(path), said(path)] == ["one", "one"]
    assert read == [path]
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert said(path) == "two"
    assert said.forget_others({path}) == []
    assert said.forget_others(set()) == [path]
    path.unlink()
    assert said(path) is None
