"""Public data sets, downloaded once into the cache; interrupted downloads continue, and every checksum is verified.

CACHE/data/llmafia-4cdb7678e130/files/…      as in the repository at that commit
CACHE/data/llmafia-4cdb7678e130/partial/…    partial downloads; removed when the set is complete
CACHE/data/llmafia-4cdb7678e130/licence.txt  source, licence and citation
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wolf_chatbox.errors import DataError
from wolf_chatbox.files import OTHER_CACHE, cache_folder, sha256, writing
from wolf_chatbox.public.catalogue import File, PublicSet

if TYPE_CHECKING:
    import requests

MIRROR = "https://raw.githubusercontent.com"
"""Where files of repositories are downloaded from; WOLF_CHATBOX_MIRROR names a server with the same paths."""
TIMEOUT = 30.0
"""Seconds without data after which a download fails."""
RETRIES = 3
"""How often a failed file is tried again, after 1, 2, 3, … seconds (as pooch does)."""
AT_ONCE = 4
CHUNK = 1 << 14
REMEDY = "Check the network, or pass --from FOLDER with a folder that has the files. Partial downloads are kept."
TRY_AGAIN = (408, 416, 429)
"""Status codes that are tried again, besides 500 and above; 416: a partial download does not fit and is dropped."""

Count = Callable[[int], None]
"""Called with the number of bytes received; negative if some have to be downloaded again."""


class BrokenOff(Exception):
    """A connection ended before the end of the file."""


def data_folder(wanted: PublicSet) -> Path:
    """The folder of a set in the cache; WOLF_CHATBOX_CACHE moves the cache."""
    return cache_folder() / "data" / f"{wanted.name}-{wanted.commit[:12]}"


def left(wanted: PublicSet) -> int:
    """Bytes of a set that are not in the cache."""
    folder = data_folder(wanted) / "files"
    there = (path.stat().st_size if (path := folder / file.path).is_file() else -1 for file in wanted.files)
    return sum(file.bytes for file, size in zip(wanted.files, there) if size != file.bytes)


def fetch(wanted: PublicSet, source: Path | None = None, count: Count = lambda number: None) -> Path:
    """The folder with the files of a set; every checksum is verified.

    Files that are not in the cache are taken from the folder `source`, in which they are found by checksum, whatever
    their names; without `source`, from the network. Raises DataError if a file cannot be obtained, CheckpointError if
    the cache cannot be written.
    """
    if wanted.by_hand:
        why = f"not downloaded automatically: its licence is {wanted.licence or 'not stated'}"
        raise DataError(f"{wanted.name}: {why}. Go to {wanted.page}, {wanted.by_hand}.")
    if wanted.hub:
        return _from_hub(wanted, source)
    folder = data_folder(wanted)
    listed = {file.path for file in wanted.files}
    with writing(folder, OTHER_CACHE):
        for parent in {(folder / kind / file.path).parent for file in wanted.files for kind in ("files", "partial")}:
            parent.mkdir(parents=True, exist_ok=True)
        (folder / "licence.txt").write_text(wanted.notice(), encoding="utf-8")
    if source is None:
        _fetch_all(wanted, folder, lambda file, stop: _Resumed(folder / "partial" / file.path, file, count, stop))
    else:
        found = _find(wanted, source)
        _fetch_all(
            wanted, folder, lambda file, stop: lambda url, output, pooch: shutil.copyfile(found[file.sha256], output)
        )
    shutil.rmtree(folder / "partial", ignore_errors=True)
    for path in (folder / "files").rglob("*"):
        if path.is_file() and path.relative_to(folder / "files").as_posix() not in listed:
            path.unlink(missing_ok=True)  # left by a process that was killed
    return folder / "files"


def _fetch_all(wanted: PublicSet, folder: Path, downloader: Callable[[File, Event], Callable[..., Any]]) -> None:
    """Download the missing files, a few at a time; complete files are kept, whatever happens to the others."""
    import pooch
    import requests

    mirror = os.environ.get("WOLF_CHATBOX_MIRROR") or MIRROR
    store = pooch.create(
        path=folder / "files",
        base_url="",
        registry={file.path: file.sha256 for file in wanted.files},
        urls={
            file.path: f"{mirror.rstrip('/')}/{wanted.repository}/{wanted.commit}/{quote(file.path)}"
            for file in wanted.files
        },
        retry_if_failed=RETRIES,
    )
    stop = Event()

    def bring(file: File) -> None:
        if stop.is_set():
            return
        url = store.get_url(file.path)
        with writing(folder, OTHER_CACHE):
            try:
                store.fetch(file.path, downloader=downloader(file, stop))
            except requests.RequestException as error:
                raise DataError(f"{wanted.name}: {url} cannot be downloaded ({_reason(error)}). {REMEDY}") from error
            except ValueError as error:  # raised by pooch
                problem = "failed its checksum and was not kept"
                raise DataError(f"{wanted.name}: {url} {problem}. Try another network. {REMEDY}") from error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for done in as_completed([pool.submit(bring, file) for file in wanted.files]):
                done.result()
        finally:
            stop.set()


class _Resumed:
    """A pooch downloader for one file: continues the partial download; moves it to its place when it is complete."""

    def __init__(self, partial: Path, file: File, count: Count, stop: Event) -> None:
        self.partial, self.size, self.count, self.stop = partial, file.bytes, count, stop
        self.counted = 0
        self.response: requests.Response | None = None

    def __call__(self, url: str, output: str, pooch: Any) -> None:
        import requests
        from pooch import HTTPDownloader

        with self.partial.open("ab") as self.file:
            if self.file.tell() > self.size:
                self.file.truncate(0)
            start = self.file.seek(0, os.SEEK_END)
            self.tell()
            if start < self.size:
                # A range counts the bytes of the file, not those of a compressed transfer.
                headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
                fetch = HTTPDownloader(
                    chunk_size=CHUNK, timeout=(TIMEOUT / 3, TIMEOUT), headers=headers, hooks={"response": self.begin}
                )
                try:
                    fetch(url, self, pooch)
                finally:
                    if self.response is not None:
                        self.response.close()  # pooch leaves it open after an error
            whole = self.file.tell() == self.size
        if not whole:
            raise requests.ConnectionError(BrokenOff())
        os.replace(self.partial, output)

    def begin(self, response: requests.Response, **_: Any) -> None:
        """Start over if the server sends the whole file instead of a range; raise DataError if it refuses."""
        self.response = response
        if response.status_code == 200 or response.status_code == 416:
            self.file.truncate(0)
            self.tell()
        elif 400 <= response.status_code < 500 and response.status_code not in TRY_AGAIN:
            refused = f"{response.url} cannot be downloaded (HTTP status {response.status_code})"
            raise DataError(f"{refused}. {REMEDY}")

    def write(self, chunk: bytes) -> None:
        if self.stop.is_set():
            raise DataError("stopped because another file failed.")
        self.file.write(chunk)
        if self.file.tell() > self.size:
            self.file.truncate(0)
            raise ValueError("longer than expected")
        self.tell()

    def flush(self) -> None:
        self.file.flush()

    def tell(self) -> None:
        """Count the bytes of the partial download."""
        self.file.seek(0, os.SEEK_END)
        self.count(self.file.tell() - self.counted)
        self.counted = self.file.tell()


def _reason(error: requests.RequestException) -> str:
    import requests
    from urllib3.exceptions import ProtocolError, TimeoutError

    cause = error.args[0] if error.args else None
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    # While a body is read, requests wraps urllib3's timeout in a ConnectionError.
    if isinstance(error, requests.Timeout) or isinstance(cause, TimeoutError):
        return f"no data for {TIMEOUT:g} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or isinstance(cause, BrokenOff | ProtocolError):
        return "the connection was interrupted"
    return "no connection" if isinstance(error, requests.ConnectionError) else " ".join(str(error).split())


def _find(wanted: PublicSet, source: Path) -> dict[str, Path]:
    """The paths of the missing files in a folder, by checksum; raises DataError if one is not in it."""
    if not source.is_dir():
        raise DataError(f"--from {source}: no such folder. Name a folder that has the files of {wanted.name}.")
    folder = data_folder(wanted) / "files"
    missing = [
        file for file in wanted.files if not (folder / file.path).is_file() or sha256(folder / file.path) != file.sha256
    ]
    sizes = {file.bytes for file in missing}
    found = {
        sha256(path): path for path in sorted(source.rglob("*")) if path.is_file() and path.stat().st_size in sizes
    }
    lacking = [file for file in missing if file.sha256 not in found]
    if lacking:
        missing_files = f"{len(lacking)} of the {len(wanted.files)} files of {wanted.name} are missing"
        raise DataError(
            f"--from {source}: {missing_files} (the first is {lacking[0].path}). "
            f"Copy them there from {wanted.address}, unchanged."
        )
    return found


def _from_hub(wanted: PublicSet, source: Path | None) -> Path:
    """The folder of a data set of the hub, in the hub's cache (see HF_HOME, HF_ENDPOINT and HF_TOKEN)."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError  # type: ignore[attr-defined]

    if source is not None:
        raise DataError(
            f"{wanted.name}: --from finds files by checksum, and none are known for this data set. "
            "Convert the folder directly: wolf-chatbox data convert FOLDER -o corpus.jsonl"
        )
    try:
        folder = Path(snapshot_download(wanted.hub, repo_type="dataset", allow_patterns=list(wanted.patterns)))
    except (HTTPError, LocalEntryNotFoundError, OSError) as error:
        why = "the hub cannot be reached, and the cache does not have it"
        cause = error if isinstance(error, HfHubHTTPError) else error.__cause__
        if isinstance(cause, HfHubHTTPError):
            why = f"HTTP status {cause.response.status_code}"
        remedy = "Check the network, or set HF_ENDPOINT to a mirror."
        raise DataError(f"{wanted.name}: {wanted.hub} cannot be downloaded ({why}). {remedy}") from error
    if not any(path.is_file() for pattern in wanted.patterns for path in folder.glob(pattern)):
        gone = f"{wanted.hub} no longer has files {', '.join(wanted.patterns)}"
        raise DataError(f"{wanted.name}: {gone}. See {wanted.address}.")
    return folder
