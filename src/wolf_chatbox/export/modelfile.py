"""An Ollama Modelfile (https://github.com/ollama/ollama/blob/main/docs/modelfile.md) beside a GGUF.

Its template is in Go's language (https://pkg.go.dev/text/template). It gives the text that the model was trained with:
the marks around each message come from the style, as in our own prompts. Every mark is written as a Go string, so that
no character of it is read as a part of the template or of the Modelfile. Ollama joins messages of one role in a row.
"""

from __future__ import annotations

import json

from wolf_chatbox.config import SamplingConfig
from wolf_chatbox.model.speech import Speech
from wolf_chatbox.samples.styles import SYSTEM, Marks, Style
from wolf_chatbox.scene import Scene


def modelfile(gguf: str, speech: Speech, sampling: SamplingConfig, context: int) -> str:
    """The Modelfile of a GGUF in the same folder: its template, where replies stop, and how they are drawn."""
    end = speech.renderer.tokenizer.decode([speech.renderer.end_id])
    briefing = speech.cards.brief(Scene((), speaker=speech.persona)).opening.replace('"' * 3, "'" * 3)
    settings = {
        "num_ctx": context,
        "num_predict": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k or 1_000_000,  # Ollama takes 0 for its own default
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repetition_penalty,
    }
    lines = [
        f"# {speech.persona}, for Ollama: ollama create NAME -f Modelfile",
        f"FROM ./{gguf}",
        f'TEMPLATE """{template(speech.renderer.style, speech.persona, speech.user)}"""',
        *([f'SYSTEM """{briefing}"""'] if briefing else []),
        f'PARAMETER stop "{end}"',
        *(f"PARAMETER {name} {value}" for name, value in settings.items()),
    ]
    return "\n".join(lines) + "\n"


def template(style: Style, persona: str, user: str) -> str:
    """The style in Go's template language, for the messages of a user, the persona and the system."""
    start = f'{{{{ if and (eq $at 0) (ne .Role "system") }}}}{_text(style.start)}{{{{ end }}}}' if style.start else ""
    roles = {"user": user, "assistant": persona, "system": SYSTEM}
    parts = [
        f'{{{{ {"if" if at == 0 else "else if"} eq .Role "{role}" }}}}{_message(style.marks(speaker))}'
        for at, (role, speaker) in enumerate(roles.items())
    ]
    head = style.marks(persona)
    every = f"{{{{ range $at, $_ := .Messages }}}}{start}{''.join(parts)}{{{{ end }}}}{{{{ end }}}}"
    return every + _text(head.before + head.label)


def _message(marks: Marks) -> str:
    return _text(marks.before + (f"{marks.label} " if marks.label else "")) + "{{ .Content }}" + _text(marks.after)


def _text(text: str) -> str:
    """A text as an action that writes it; Go reads the escapes of JSON."""
    return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""
