"""Features of texts: what a language model makes of them, as rows of numbers. MAUVE compares these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wolf_chatbox.model.load import inference_dtype, load_model
from wolf_chatbox.model.tokenizer import pad_id
from wolf_chatbox.visible import Tell

Rows = np.ndarray[Any, np.dtype[np.float32]]

MOST_TOKENS = 64
AT_ONCE = 512
"""Tokens of one forward pass, padding included."""


def features(
    base: str,
    texts: Sequence[str],
    *,
    trust_remote_code: bool = False,
    tell: Tell = lambda text: None,
    told: Callable[[int], None] = lambda done: None,
) -> Rows:
    """The mean of a base model's last hidden states over the tokens of each text, shape (texts, hidden size).

    MAUVE's paper takes the state of the last token. Of a short reply that tells little but its last mark: replies of
    people without their last four characters then get 4 %, as if nobody had ever said them.

    Of a long text the first MOST_TOKENS tokens count. Equal texts have equal rows. `base` is a name or a folder, `told`
    is told how many different texts are done. The model computes in bf16 where the CPU does, which rounds: rows of two
    machines are not to be mixed. Raises ModelError when the model cannot be loaded.
    """
    loaded = load_model(base, dtype=inference_dtype("cpu"), trust_remote_code=trust_remote_code, tell=tell)
    different = sorted(set(texts))
    encoded = [loaded.tokenizer(text, split_special_tokens=True).input_ids[:MOST_TOKENS] for text in different]
    ids = [one or [pad_id(loaded.tokenizer)] for one in encoded]
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
    """The mean last states of some texts; what pads them on the right is not seen, and does not count."""
    import torch

    longest = max(map(len, ids))
    padded = torch.tensor([[*one, *[0] * (longest - len(one))] for one in ids])
    counted = torch.tensor([[1.0] * len(one) + [0.0] * (longest - len(one)) for one in ids]).unsqueeze(-1)
    with torch.inference_mode():
        states = model.base_model(input_ids=padded).last_hidden_state.float()
    rows: Rows = ((states * counted).sum(dim=1) / counted.sum(dim=1)).numpy()
    return rows
