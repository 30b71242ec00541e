"""What libraries call differently in their versions."""

from __future__ import annotations

from typing import Any

import pytest

from wolf_chatbox.model.compat import checkpoint_activations


@pytest.mark.parametrize("name", ["activation_checkpointing_enable", "gradient_checkpointing_enable"])
def test_layers_are_checkpointed_by_either_name(name: str) -> None:
    asked: list[Any] = []
    model: Any = type("Model", (), {name: lambda self, settings: asked.append(settings)})()
    checkpoint_activations(model)
    assert asked == [{"use_reentrant": False}]
