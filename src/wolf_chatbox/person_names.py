"""Names of people who never speak, found in texts by Presidio (https://microsoft.github.io/presidio/) with an installed spaCy model.

It guesses: it finds most names and takes some words for names. The speakers' own names are left to `--pseudonyms`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from wolf_chatbox.errors import DataError

Find = Callable[[str], Iterable[tuple[int, int]]]
"""Where in a text people's names stand: begin and end of each."""

SIZES = ("lg", "md", "sm", "trf")
"""spaCy's models of one language, the best first that a laptop runs."""


def finder(language: str) -> Find:
    """Presidio with the spaCy model of a language (ISO 639-1) that is installed; nothing is downloaded.

    Raises DataError when Presidio or such a model is missing.
    """
    try:
        import spacy.util
        from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
        from presidio_analyzer.nlp_engine import NlpEngineProvider
        from presidio_analyzer.predefined_recognizers import SpacyRecognizer
    except ImportError as error:
        raise DataError("--scrub-names needs Presidio: pip install 'wolf-chatbox[names]'") from error
    models = [name for size in SIZES for name in spacy.util.get_installed_models() if name.startswith(f"{language}_") and name.endswith(f"_{size}")]
    if not models:
        models_of = f"{language}_core_web_sm" if language in ("en", "zh") else f"{language}_core_news_sm"
        raise DataError(f"--scrub-names: no spaCy model for the language {language} is installed. Get one: python -m spacy download {models_of}")
    settings = {"nlp_engine_name": "spacy", "models": [{"lang_code": language, "model_name": models[0]}]}
    registry = RecognizerRegistry(recognizers=[SpacyRecognizer(supported_language=language)], supported_languages=[language])
    engine = NlpEngineProvider(nlp_configuration=settings).create_engine()
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=[language])

    def find(text: str) -> list[tuple[int, int]]:
        return [(each.start, each.end) for each in analyzer.analyze(text, language=language, entities=["PERSON"])]

    return find


def scrub_names(text: str, find: Find, speakers: Iterable[str], found: Counter[str]) -> str:
    """The text with `[name]` for the names of people, those of `speakers` left as they are; counted in `found`."""
    own = {word.casefold() for speaker in speakers for word in (speaker, *speaker.split())}
    for begin, end in sorted(set(find(text)), reverse=True):
        if text[begin:end].casefold() not in own:
            text = f"{text[:begin]}[name]{text[end:]}"
            found["name"] += 1
    return text
