"""Public sets, fetched once into the cache: resumed where a line broke, tried again, and never there unless their checksums are right.

CACHE/data/llmafia-4cdb7678e130/files/…      as in the repository at that commit
CACHE/data/llmafia-4cdb7678e130/partial/…    what came of files before the line broke; gone when all are there
CACHE/data/llmafia-4cdb7678e130/licence.txt  whose the data are, under which licence, and how to cite them
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
"""Where repositories' files are fetched; WOLF_CHATBOX_MIRROR names another place that has them at the same paths."""
TIMEOUT = 30.0
"""Seconds without a byte after which a server counts as silent."""
RETRIES = 3
"""After a failure a file is tried again this often, after 1, 2, 3, … seconds (pooch's way)."""
AT_ONCE = 4
CHUNK = 1 << 14
REMEDY = "Check the network, or name a folder that has the files: --from FOLDER. What has come is kept."
TRY_AGAIN = (408, 416, 429)
"""Refusals that may pass, besides those of 500 and more; 416 means that what was kept of a file does not fit, and is dropped."""

Count = Callable[[int], None]
"""Told how many bytes came, which is negative where some of them have to come again."""


def data_folder(wanted: PublicSet) -> Path:
    """Where a set of files with checksums is kept; WOLF_CHATBOX_CACHE moves it."""
    return cache_folder() / "data" / f"{wanted.name}-{wanted.commit[:12]}"


def left(wanted: PublicSet) -> int:
    """How many bytes of a set are not in the cache."""
    folder = data_folder(wanted) / "files"
    there = (path.stat().st_size if (path := folder / file.path).is_file() else -1 for file in wanted.files)
    return sum(file.bytes for file, size in zip(wanted.files, there) if size != file.bytes)


def fetch(wanted: PublicSet, source: Path | None = None, count: Count = lambda number: None) -> Path:
    """The folder with the files of a set, each of the right checksum.

    What is not in the cache is taken from the folder `source`, where files are known by their checksums, whatever their
    names; or without one, from the network. Raises DataError when a file cannot be had, and CheckpointError when the
    cache cannot be written.
    """
    if wanted.by_hand:
        raise DataError(
            f"{wanted.name}: its licence is {wanted.licence or 'not stated'}, so it is not fetched. {wanted.by_hand}."
        )
    if wanted.hub:
        return _from_hub(wanted, source)
    folder = data_folder(wanted)
    listed = {file.path for file in wanted.files}
    with writing(folder, OTHER_CACHE):
        for parent in {(folder / each / file.path).parent for file in wanted.files for each in ("files", "partial")}:
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
            path.unlink(missing_ok=True)  # left by a run that was killed
    return folder / "files"


def _fetch_all(wanted: PublicSet, folder: Path, downloader: Callable[[File, Event], Callable[..., Any]]) -> None:
    """Bring each file that is not there, a few at once; what came whole stays, whatever happens to the others."""
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
                raise DataError(f"{wanted.name}: {url} cannot be fetched ({_reason(error)}). {REMEDY}") from error
            except ValueError as error:  # pooch's word for another checksum
                raise DataError(
                    f"{wanted.name}: {url} is another file than expected (its checksum differs); it was not kept. Try another network. {REMEDY}"
                ) from error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for done in as_completed([pool.submit(bring, file) for file in wanted.files]):
                done.result()
        finally:
            stop.set()


class _Resumed:
    """How pooch fetches one file: into `partial`, from where it broke off, and to its place when all of it is there."""

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
                # Packed for the way, the bytes would not be those that a range counts.
                headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
                fetch = HTTPDownloader(
                    chunk_size=CHUNK, timeout=(TIMEOUT / 3, TIMEOUT), headers=headers, hooks={"response": self.begin}
                )
                try:
                    fetch(url, self, pooch)
                finally:
                    if self.response is not None:
                        self.response.close()  # which pooch leaves open where something goes wrong
            whole = self.file.tell() == self.size
        if not whole:
            raise requests.ConnectionError("broke off")
        os.replace(self.partial, output)

    def begin(self, response: requests.Response, **_: Any) -> None:
        """See what the server answers: all from the beginning, where it knows no ranges, or a refusal."""
        self.response = response
        if response.status_code == 200 or response.status_code == 416:
            self.file.truncate(0)
            self.tell()
        elif 400 <= response.status_code < 500 and response.status_code not in TRY_AGAIN:
            raise DataError(f"{response.url} cannot be fetched (the server answers {response.status_code}). {REMEDY}")

    def write(self, chunk: bytes) -> None:
        if self.stop.is_set():
            raise DataError("stopped, as another file failed.")
        self.file.write(chunk)
        if self.file.tell() > self.size:
            self.file.truncate(0)
            raise ValueError("longer than expected")
        self.tell()

    def flush(self) -> None:
        self.file.flush()

    def tell(self) -> None:
        """Count what is there."""
        self.file.seek(0, os.SEEK_END)
        self.count(self.file.tell() - self.counted)
        self.counted = self.file.tell()


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"the server is silent for {TIMEOUT:g} seconds"
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "broke" in str(error):
        return "the connection broke off"
    return "no connection" if isinstance(error, requests.ConnectionError) else " ".join(str(error).split())


def _find(wanted: PublicSet, source: Path) -> dict[str, Path]:
    """Where in a folder the missing files lie, by checksum; raises DataError when one is not in it."""
    if not source.is_dir():
        raise DataError(f"--from {source}: there is no such folder. Name one that has the files of {wanted.name}.")
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
        raise DataError(
            f"--from {source}: {len(lacking)} of the {len(wanted.files)} files of {wanted.name} are not in it (the first is {lacking[0].path}). "
            f"Copy them there from {wanted.address}, unchanged."
        )
    return found


def _from_hub(wanted: PublicSet, source: Path | None) -> Path:
    """The folder of a hub's data set, in the hub's own cache, which HF_HOME, HF_ENDPOINT and HF_TOKEN govern."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, LocalEntryNotFoundError  # type: ignore[attr-defined]

    if source is not None:
        raise DataError(
            f"{wanted.name}: its files have no checksums here to be found by. "
            "Name the folder that has them: wolf-chatbox data convert FOLDER -o corpus.jsonl"
        )
    try:
        folder = Path(snapshot_download(wanted.hub, repo_type="dataset", allow_patterns=list(wanted.patterns)))
    except (HTTPError, LocalEntryNotFoundError, OSError) as error:
        why = "the hub cannot be reached, and it is not in the cache"
        cause = error if isinstance(error, HfHubHTTPError) else error.__cause__
        if isinstance(cause, HfHubHTTPError):
            why = f"the hub answers {cause.response.status_code}"
        raise DataError(
            f"{wanted.name}: {wanted.hub} cannot be fetched ({why}). Check the network; HF_ENDPOINT names a mirror."
        ) from error
    if not any(path.is_file() for pattern in wanted.patterns for path in folder.glob(pattern)):
        raise DataError(
            f"{wanted.name}: {wanted.hub} has no files {', '.join(wanted.patterns)} any more. Look at {wanted.address}."
        )
    return folder
