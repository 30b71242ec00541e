"""The page on the server's app."""

from __future__ import annotations

import gc
import weakref

from fastapi import FastAPI

from wolf_chatbox.page.app import _forget_functions


def test_fastapi_forgets_the_functions_of_a_page_that_is_gone() -> None:
    def looked_at() -> weakref.ref[object]:
        async def upload() -> None: ...

        app = FastAPI()
        app.post("/upload")(upload)
        return weakref.ref(upload)

    function = looked_at()
    gc.collect()
    assert function() is not None  # else there is nothing to forget any more
    _forget_functions()
    gc.collect()
    assert function() is None
