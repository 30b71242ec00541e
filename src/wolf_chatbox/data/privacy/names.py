"""People's names in texts, found by Presidio with the installed spaCy models (the extra `names`).

https://microsoft.github.io/presidio/analyzer/ . Nothing is downloaded: if a model is missing, the error gives the
command that installs it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from wolf_chatbox.conversation import Conversation, folded
from wolf_chatbox.data.languages import language_among, language_of
from wolf_chatbox.errors import ConfigError

PERSON = "PERSON"
LABELS = ("PER", "PERSON", "PRS", "PS", "persName")
"""The labels for a person in spaCy's models of various languages."""
SIZES = ("trf", "lg", "md", "sm")
"""The sizes of spaCy models, the best first."""
SPACY = frozenset(
    [
        "ca",
        "da",
        "de",
        "el",
        "es",
        "fi",
        "fr",
        "hr",
        "it",
        "ja",
        "ko",
        "lt",
        "mk",
        "nb",
        "nl",
        "pl",
        "pt",
        "ro",
        "ru",
        "sl",
        "sv",
        "uk",
    ]
)
"""Languages that have a spaCy model named `*_core_news_*`."""
ANY = "xx"
"""spaCy's code for a model of many languages."""
MARK = re.compile(r"\[\w+\]")
HONORIFIC = re.compile(r"(?:さん|ちゃん|くん|さま|君|様|先生|['’]s)$")
TELLING = 200
"""Characters below which the language of a conversation is a guess; only languages with a model are considered then."""


class Span(Protocol):
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


Find = Callable[[str], Iterable[Span]]
"""Finds the names of people in a text."""


class Names:
    """Replaces the names of people who do not speak in a conversation by [name].

    Raises ConfigError if Presidio or the spaCy model of a conversation's language is missing.
    """

    def __init__(self) -> None:
        self.models = installed_models()
        self._finders: dict[str, Find] = {}

    def language(self, conversation: Conversation) -> str:
        """The language whose model finds the names of a conversation; it depends on no other conversation."""
        short = sum(len(turn.text) for turn in conversation.turns) < TELLING
        if short and ANY not in self.models:
            fallback = "en" if "en" in self.models else next(iter(self.models))
            return language_among(self.models, conversation) or fallback
        language = language_of(conversation)
        if language in self.models:
            return language
        if ANY in self.models:
            return ANY
        model = model_for(language)
        missing = f"needs a spaCy model for conversations in {language}: python -m spacy download {model}."
        raise ConfigError("scrub_names", True, f"{missing} Or leave such conversations out with --languages.")

    def hide(self, text: str, language: str, speakers: Iterable[str], found: Counter[str]) -> str:
        """The text with [name] for each person who is not a speaker; they are counted in `found`."""
        if language not in self._finders:
            self._finders[language] = load_finder(language, self.models[language])
        marks = [match.span() for match in MARK.finditer(text)]
        parts, at = [], 0
        for span in sorted(self._finders[language](text), key=lambda span: (span.start, -span.end)):
            overlaps = span.start < at or any(span.start < end and start < span.end for start, end in marks)
            if not overlaps and not names_speaker(text[span.start : span.end], speakers):
                parts += [text[at : span.start], "[name]"]
                at = span.end
                found["name"] += 1
        return "".join([*parts, text[at:]])


def names_speaker(name: str, speakers: Iterable[str]) -> bool:
    """Whether a name is a speaker's name or some words of it."""
    words = set(re.findall(r"\w+", folded(HONORIFIC.sub("", name))))
    return bool(words) and any(words <= set(re.findall(r"\w+", folded(speaker))) for speaker in speakers)


def model_for(language: str) -> str:
    """The name of spaCy's model for a language."""
    if language in ("en", "zh"):
        return f"{language}_core_web_lg"
    return f"{language}_core_news_lg" if language in SPACY else "xx_ent_wiki_sm"


def installed_models() -> dict[str, str]:
    """The best installed spaCy model for each language; raises ConfigError if Presidio or every model is missing."""
    try:
        import presidio_analyzer  # noqa: F401
        import spacy
    except ImportError as error:
        install = "pip install 'wolf-chatbox[names]' && python -m spacy download en_core_web_lg"
        missing = f"needs Presidio and a spaCy model: {install}"
        raise ConfigError("scrub_names", True, missing) from error

    def size(model: str) -> int:
        return next((place for place, size in enumerate(SIZES) if model.endswith(f"_{size}")), len(SIZES))

    models: dict[str, str] = {}
    for model in sorted(spacy.util.get_installed_models(), key=lambda model: (size(model), model)):
        models.setdefault(model.partition("_")[0], model)
    if not models:
        missing = "needs a spaCy model: python -m spacy download en_core_web_lg (other languages have their own)"
        raise ConfigError("scrub_names", True, missing)
    return models


def load_finder(language: str, model: str) -> Find:
    """Presidio's analyzer with an installed spaCy model."""
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    try:
        nlp = spacy.load(model)
    except (ImportError, OSError, ValueError) as error:
        problem = f"the spaCy model {model} cannot be loaded: python -m spacy download {model}"
        raise ConfigError("scrub_names", True, problem) from error
    labels = {label for pipe in nlp.pipe_labels.values() for label in pipe}
    if not labels.intersection(LABELS):
        problem = f"the spaCy model {model} does not recognise people: python -m spacy download {model_for(language)}"
        raise ConfigError("scrub_names", True, problem)
    others = sorted(labels.difference(LABELS))
    engine = SpacyNlpEngine(
        [{"lang_code": language, "model_name": model}],
        NerModelConfiguration(model_to_presidio_entity_mapping=dict.fromkeys(LABELS, PERSON), labels_to_ignore=others),
    )
    # Loaded here because Presidio itself would download a missing model.
    engine.nlp = {language: nlp}
    recognizers = [SpacyRecognizer(supported_language=language, supported_entities=[PERSON])]
    registry = RecognizerRegistry(recognizers, supported_languages=[language])
    analyzer = AnalyzerEngine(registry, engine, supported_languages=[language])

    def find(text: str) -> Iterable[Span]:
        spans: Iterable[Span] = analyzer.analyze(text, language, entities=[PERSON])
        return spans

    return find
