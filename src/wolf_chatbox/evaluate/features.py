"""Features of texts: what a language model makes of them, as rows of numbers. MAUVE compares these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wolf_chatbox.model.load import load_model
from wolf_chatbox.visible import Tell

Rows = np.ndarray[Any, np.dtype[np.float32]]

MOST_TOKENS = 64
AT_ONCE = 1024
"""Tokens of one forward pass, padding included."""


def features(
    base: str,
    texts: Sequence[str],
    *,
    trust_remote_code: bool = False,
    tell: Tell = lambda text: None,
    told: Callable[[int], None] = lambda done: None,
) -> Rows:
    """The mean of a base model's last hidden states over the first tokens of each text, shape (texts, hidden size).

    Equal texts have equal rows. `base` is a name or a folder, `told` is told how many different texts are done. Raises
    ModelError when the model cannot be loaded.
    """
    loaded = load_model(base, trust_remote_code=trust_remote_code, tell=tell)
    different = sorted(set(texts))
    encoded = [loaded.tokenizer.encode(text, add_special_tokens=False)[:MOST_TOKENS] for text in different]
    end = loaded.tokenizer.eos_token_id
    # An empty text is its end alone.
    ids = [one or [end if isinstance(end, int) else 0] for one in encoded]
    rows: dict[str, Rows] = {}
    for places in _batches(ids):
        for at, row in zip(places, _means(loaded.model, [ids[at] for at in places])):
            rows[different[at]] = row
        told(len(rows))
    return np.stack([rows[text] for text in texts])


def _batches(ids: Sequence[Sequence[int]]) -> list[list[int]]:
    """Places of texts that are computed together: of similar lengths, and at most AT_ONCE tokens."""
    batches: list[list[int]] = []
    for at in sorted(range(len(ids)), key=lambda at: -len(ids[at])):
        longest = len(ids[batches[-1][0]]) if batches else 0
        if batches and longest * (len(batches[-1]) + 1) <= AT_ONCE:
            batches[-1].append(at)
        else:
            batches.append([at])
    return batches


def _means(model: Any, ids: Sequence[Sequence[int]]) -> Rows:
    """The mean hidden states of some texts; what pads them on the right is not seen, and does not count."""
    import torch

    longest = max(map(len, ids))
    padded = torch.tensor([[*one, *[0] * (longest - len(one))] for one in ids])
    seen = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in ids])
    with torch.inference_mode():
        states = model.base_model(input_ids=padded, attention_mask=seen).last_hidden_state.float()
    weights = seen.unsqueeze(-1)
    means: Rows = ((states * weights).sum(dim=1) / weights.sum(dim=1)).numpy()
    return means
