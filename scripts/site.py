#!/usr/bin/env python3
"""Build the documentation as a site, build/docs, with every warning an error: `make docs`.

Zensical knows one language a site, so the pages are laid out twice: English at the top, Japanese in ja/. A page that is
not translated stands there in English. The READMEs are the home pages, and the line that names the other language leads
to the same page in it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
DOCS, WORK, SITE = ROOT / "docs", ROOT / "build" / "pages", ROOT / "build" / "docs"
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s#]+)(#[^)\s]+)?\)")
OTHER_LANGUAGE = re.compile(r"^\[(日本語|English)\]\([^)]+\)$", re.MULTILINE)
WRAPPED = re.compile(r"(?<=[\u3001-\u9fff\uff01-\uff60])\n(?=[\u3001-\u9fff\uff01-\uff60])")
"""A line break within a Japanese sentence, which a browser would show as a space."""
NAV = (
    (
        {"en": "Make a character", "ja": "キャラクターを作る"},
        "page chat-export formats data training chat quality export reference",
    ),
    ({"en": "Go further", "ja": "さらに進む"}, "serving werewolf werewolf-play distributed benchmarks"),
    ({"en": "The project", "ja": "プロジェクト"}, "add-a-format design"),
)
ABOUT = {
    "en": "Fine-tune a dialogue model on your own conversations, and talk with it",
    "ja": "自分の会話で対話モデルをファインチューニングして話すためのツール",
}


def lay_out(language: str) -> None:
    """Write one language's pages into the work folder."""
    folder = WORK / language / "docs"
    shutil.copytree(DOCS / "images", folder / "images")
    names = {"index", *(path.name.partition(".")[0] for path in DOCS.glob("*.md"))}
    if names != {"index", *" ".join(pages for _, pages in NAV).split()}:
        raise SystemExit(f"error: scripts/site.py: NAV must name every page of docs/: {', '.join(sorted(names))}.")
    for name in names:
        path = _source(name, language)
        text = path.read_text(encoding="utf-8").replace("](docs/", "](")
        there = "../" if language == "ja" else "ja/"
        text = OTHER_LANGUAGE.sub(rf'<a href="{there}{name}.html">\1</a>', text)
        text = WRAPPED.sub("", LINK.sub(_on_the_site, text))
        (folder / f"{name}.md").write_text(text, encoding="utf-8")


def _source(name: str, language: str) -> Path:
    folder, stem = (ROOT, "README") if name == "index" else (DOCS, name)
    translated = folder / f"{stem}.{language}.md"
    return translated if translated.exists() else folder / f"{stem}.md"


def _on_the_site(link: re.Match[str]) -> str:
    """A link as the site has it: to the page of the same language, and no link to files beside docs/."""
    words, target, anchor = link[1], link[2], link[3] or ""
    if re.match(r"[a-z]+:", target):
        return link[0]
    if (DOCS / target).exists() and not target.startswith("../"):
        return f"[{words}]({target.replace('.ja.md', '.md')}{anchor})"
    return words if (DOCS / target).exists() or (ROOT / target).exists() else link[0]


def build(language: str) -> bool:
    """Build one language's site; False where a link or an anchor leads nowhere, which Zensical has then told."""
    nav = ["index.md", *({words[language]: [f"{name}.md" for name in names.split()]} for words, names in NAV)]
    config = yaml.safe_load((ROOT / "zensical.yml").read_text(encoding="utf-8"))
    config |= {"site_description": ABOUT[language], "site_dir": "site", "nav": nav}
    config["theme"]["language"] = language
    file = WORK / language / "mkdocs.yml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    zensical = str(Path(sys.executable).with_name("zensical"))
    return subprocess.run([zensical, "build", "--strict", "--clean", "--config-file", str(file)]).returncode == 0


def main() -> int:
    shutil.rmtree(WORK, ignore_errors=True)
    shutil.rmtree(SITE, ignore_errors=True)
    for language in ("en", "ja"):
        lay_out(language)
        if not build(language):
            return 1
    shutil.move(WORK / "en" / "site", SITE)
    shutil.move(WORK / "ja" / "site", SITE / "ja")
    return 0


if __name__ == "__main__":
    sys.exit(main())
