"""Only a version of llama.cpp whose interface is known is used."""

from __future__ import annotations

import pytest

from wolf_chatbox.errors import ModelError
from wolf_chatbox.model.engines import llama_library as module

pytestmark = pytest.mark.skipif(module.lacking() is not None, reason="llama.cpp is an optional engine")


@pytest.fixture(autouse=True)
def _anew() -> None:
    module.lacking.cache_clear()


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", lambda name: "1.2.3")
    assert "1.2.3" in (module.lacking() or "")
    module.lacking.cache_clear()
    with pytest.raises(ModelError, match=r"1\.2\.3 has another interface than .+\(pip install"):
        module.library.__wrapped__()
    module.lacking.cache_clear()


def test_structs_that_changed_are_refused() -> None:
    lib = module.library()
    params = lib.llama_context_default_params()
    module.check_defaults(params, module.CONTEXT_DEFAULTS)
    params.yarn_beta_fast = 1.0
    with pytest.raises(ModelError, match=r"other structs than .+ \(yarn_beta_fast is 1\.0\)"):
        module.check_defaults(params, module.CONTEXT_DEFAULTS)


def test_the_structs_are_as_large_as_in_the_header() -> None:
    assert module.ctypes.sizeof(module.ModelParams) == 80
    assert module.ctypes.sizeof(module.ContextParams) == 168
