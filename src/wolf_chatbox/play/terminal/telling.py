"""What a person at the table is told, as text for a terminal: each thing once, and only what the person may know."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import groupby

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from wolf_chatbox.game import SIDES, Event
from wolf_chatbox.talk.wrapping import wrapped
from wolf_chatbox.visible import visible
from wolf_chatbox.werewolf.claims import claims_in
from wolf_chatbox.werewolf.narration import Narrator
from wolf_chatbox.werewolf.rules import Village
from wolf_chatbox.werewolf.sight import Kind, Line, Sight
from wolf_chatbox.werewolf.utterance import OVER
from wolf_chatbox.words import Words, words_of

COLOURS = ("cyan", "magenta", "green", "yellow", "bright_blue", "bright_red", "bright_green", "bright_magenta")
"""Those of the names, by seat; from the beginning again for more."""
WIDEST = 100
"""Columns that a text takes at most."""
VOTES: dict[str, str] = {"vote": "votes", "attack_vote": "attack_votes"}


class Telling:
    """Tells one person a game as it goes on: `news` gives what is new since it was asked last."""

    def __init__(self, village: Village, me: str, width: Callable[[], int] = lambda: 80) -> None:
        self.village, self.me = village, me
        self.sight: Sight = village.sights[me]
        self.words: Words = words_of(village.table.language)
        self.everything = False
        """Whether this person is told all: whispers, roles, what is done at night."""
        self._say = Narrator(village.table.language, village.names)
        self._width = width
        self._lines = self._events = 0
        self._votes: list[Event] = []
        self._morning: list[Event] = []
        """What is told when the day breaks."""
        self._silent: list[str] = []
        """Who has nothing to say any more, since the last line."""

    def word(self, key: str, **values: object) -> str:
        return self.words(f"werewolf_terminal.{key}", **values)

    # What is new

    def news(self) -> Iterator[Text]:
        """What happened since the last call."""
        known = self.village if self.everything else self.sight
        lines, events = list(known.lines), list(known.events)
        while self._lines < len(lines) or self._events < len(events):
            if self._events < len(events) and events[self._events].at <= self._lines:
                self._events += 1
                yield from self._happened(events[self._events - 1])
            else:
                self._lines += 1
                yield from self._said(lines[self._lines - 1])
        yield from self._ballot()

    def see_all(self) -> Iterator[Text]:
        """From now on this person is told everything; first the roles, and what was whispered before."""
        self.everything = True
        self._lines, self._events = len(self.village.lines), len(self.village.events)
        self._morning = []
        yield self.note(self.word("graveyard"))
        yield from self.seats(self.village.roles)
        heard = set(self.sight.said(whisper=True))
        whispers = [line for line in self.village.lines if line.whisper and line.is_speech and line not in heard]
        if whispers:
            yield self.note(self.word("whispered"))
        for line in whispers:
            yield self.line(line)

    def so_far(self) -> Iterator[Text]:
        """Everything again that this person was told."""
        again = Telling(self.village, self.me, self._width)
        if self.everything:
            again.everything = True
        yield from again.news()
        yield from again.quiet()

    def quiet(self) -> Iterator[Text]:
        """Who has nothing to say any more."""
        if self._silent:
            names, self._silent = self._say.listed(self._silent), []
            yield self.note(self.word("silent", names=names))

    def _said(self, line: Line) -> Iterator[Text]:
        if line.is_speech:
            yield from self.quiet()
            yield self.line(line)
        elif line.text == OVER and line.speaker != self.me:
            self._silent.append(line.speaker)

    def _happened(self, event: Event) -> Iterator[Text]:
        yield from self.quiet()
        if event.kind in VOTES:
            if any((event.kind, event.actor) == (vote.kind, vote.actor) for vote in self._votes):
                yield from self._ballot()  # the first one was a tie
            self._votes.append(event)
            return
        yield from self._ballot()
        match event.kind:
            case "day":
                yield self.heading(self.words("werewolf.day", day=event.day))
                yield from self._dawn()
                alive = [name for name in self.village.names if self._lives(name)]
                yield self.note(self._say.say("alive", names=self._say.listed(alive)))
            case "end":
                yield self.heading(self.words("werewolf.over"))
                yield from self._dawn()
            case "night" if event.day:
                yield self.heading(self.words("werewolf.night", day=event.day))
            case "execute":
                yield self._event("executed" if event.target else "nobody executed", event)
            case "attack" if self.everything:
                yield self._event(self._attack(event), event)
            case "attack" | "medium":
                self._morning.append(event)
            case "divine" | "guard":
                yield self._event(event.kind, event)
            case "death":
                yield self._event("died", event)

    def _lives(self, name: str) -> bool:
        return name not in (self.village.dead if self.everything else self.sight.dead)

    def _dawn(self) -> Iterator[Text]:
        """What happened in the night that is over."""
        for event in self._morning:
            if event.kind == "medium":
                yield self._event("medium", event)
            elif event.target:
                yield self.told(self._say.say("died at night", names=event.target))
            else:
                yield self.told(self._say.say("nobody died"))
        self._morning = []

    def _attack(self, event: Event) -> str:
        if not event.target:
            return "nobody attacked"
        return "attack killed" if event.result == "killed" else "attack failed"

    def _event(self, what: str, event: Event) -> Text:
        actor = self._say.say("you") if event.actor == self.me else event.actor
        role = self._say.role(event.result)
        return self.told(self._say.say(what, actor=actor, to_actor=actor, target=event.target, role=role))

    def _ballot(self) -> Iterator[Text]:
        """The votes that were cast, most wanted first."""
        votes, self._votes = self._votes, []
        by_target: dict[str, list[str]] = {}
        for vote in votes:
            by_target.setdefault(vote.target, []).append(vote.actor)
        if not votes:
            return
        yield self.title(self.word(VOTES[votes[0].kind]))
        column = max(map(cell_len, by_target))
        for target, voters in sorted(by_target.items(), key=lambda item: -len(item[1])):
            row = f"  {set_cell_size(target, column)}  {len(voters):>2}  {self._say.listed(voters)}"
            yield self._painted(row, indent=column + 8)

    # Pieces of text

    def line(self, line: Line) -> Text:
        """An utterance, with the roles that it claims."""
        name = f"{line.speaker} ({self.word('whispers')}): " if line.whisper else f"{line.speaker}: "
        claimed = [self.role(role) for role in claims_in(line.text, self.village.table.language)]
        claims = f"  ◆ {self.words('werewolf.claims', roles=self._say.listed(claimed))}" if claimed else ""
        text = wrapped(name + visible(line.text) + claims, self.width, 2)
        shown = self._coloured(Text(text, "italic" if line.whisper else ""))
        shown.stylize(f"bold {self.colour(line.speaker)}", 0, len(name) - 1)
        if claims and (at := text.rfind("◆")) >= 0:
            shown.stylize("bold yellow", at)
        return shown

    def heading(self, text: str) -> Text:
        rule = max(0, self.width - cell_len(text) - 4)
        return Text(f"\n── {text} {'─' * rule}", "bold")

    def title(self, text: str) -> Text:
        return Text(wrapped(text, self.width), "bold")

    def told(self, text: str) -> Text:
        """Something that matters."""
        return self._painted(f"* {text}", "bold", indent=2)

    def note(self, text: str) -> Text:
        return Text(wrapped(visible(text), self.width), "dim")

    def _painted(self, text: str, style: str = "", indent: int = 0) -> Text:
        return self._coloured(Text(wrapped(visible(text), self.width, indent), style))

    def _coloured(self, text: Text) -> Text:
        """A text with the names of players in their colours."""
        for name in sorted(self.village.names, key=len):
            text.highlight_words([name], self.colour(name))
        return text

    def colour(self, name: str) -> str:
        return COLOURS[self.village.names.index(name) % len(COLOURS)]

    def role(self, role: str) -> str:
        return self.words(f"werewolf.roles.{role}")

    @property
    def width(self) -> int:
        return max(20, min(WIDEST, self._width()))

    # Tables

    def card(self) -> Iterator[Text]:
        """The person's role, what it can do, the rules of the game, and who sits there."""
        role, say = self.sight.role, self._say
        yield self.heading(self.words("werewolf.title"))
        yield self._painted(say.say("I am, with a role", name=self.me, role=say.role(role)), "bold")
        yield self._painted(self.words(f"werewolf.cards.{role}"))
        if self.sight.friends:
            yield self._painted(say.say("the other WEREWOLF", names=say.listed(self.sight.friends)))
        roles = [
            f"{self.role(one)} ×{number}" if number > 1 else self.role(one) for one, number in self.sight.counts.items()
        ]
        for line in ("first", "second", "third"):
            yield self.note(self.words(f"werewolf.rules.{line}", roles=self.words("werewolf.comma").join(roles)))
        yield self.note(self.word("begin"))

    def seats(self, roles: dict[str, str] | None = None) -> Iterator[Text]:
        """Who sits where, who lives, what they claim, and what this person knows of them."""
        known = roles if roles is not None else {**self._found(), **self.sight.roles}
        column = max(map(cell_len, self.village.names))
        for number, name in enumerate(self.village.names, 1):
            role = known.get(name, "")
            parts = [self.word("you") if name == self.me else ""]
            parts.append(self.words("werewolf.human") if role == "HUMAN" else self.role(role) if role else "")
            parts.append(self._fate(name))
            if claims := [claim for claim in self._claims(name) if claim != role]:
                parts.append(self.words("werewolf.claims", roles=self._say.listed(map(self.role, claims))))
            row = f"  {number:>2}  {set_cell_size(name, column)}  {self._say.listed(filter(None, parts))}"
            shown = self._painted(row, "" if self._lives(name) else "dim", indent=column + 8)
            yield shown

    def _found(self) -> dict[str, str]:
        return {**self.sight.found("divine"), **self.sight.found("medium")}

    def _claims(self, name: str) -> list[str]:
        said = [line.text for line in self.sight.said() if line.speaker == name]
        return list(dict.fromkeys(role for text in said for role in claims_in(text, self.village.table.language)))

    def _fate(self, name: str) -> str:
        """How a player died, and when; empty for one who lives."""
        events = self.village.events if self.everything else self.sight.events
        for event in events:
            if event.target == name and event.kind == "execute":
                return self.word("executed", day=event.day)
            if event.target == name and (event.result == "killed" or event.kind == "death"):
                return self.word("killed", day=event.day)
        return ""

    def choices(self, kind: Kind, near: Collection[str] = ()) -> Iterator[Text]:
        """A question, with those who can be named, by their numbers; only the nearest if there are such."""
        yield self.title(self.words(f"werewolf.questions.{kind}"))
        names = enumerate(self.sight.targets(kind), 1)
        yield self._painted(
            "  " + "   ".join(f"{number}\u00a0{name}" for number, name in names if name in near or not near), indent=2
        )

    # The end

    def reveal(self) -> Iterator[Text]:
        """What everybody thought, who voted for whom, who was what, and last who won."""
        self.everything = True
        yield from self._thoughts()
        yield from self._votes_by_day()
        yield self.title(self.word("roles"))
        yield from self.seats(self.village.roles)
        winner = self.village.winner
        if not winner:
            yield self.told(self.words("werewolf.nobody_won"))
            return
        side = self.words(f"werewolf.sides.{winner}")
        yield self.told(self.words("werewolf.won", side=side[:1].upper() + side[1:]))
        yield self.told(self.word("won" if winner == SIDES[self.sight.role] else "lost"))

    def _votes_by_day(self) -> Iterator[Text]:
        votes = [event for event in self.village.events if event.kind == "vote"]
        if votes:
            yield self.title(self.word("votes_by_day"))
        column = max(map(cell_len, self.village.names))
        for name in self.village.names:
            own = [f"{vote.day}\u00a0{vote.target}" for vote in votes if vote.actor == name]
            if own:
                yield self._painted(f"  {set_cell_size(name, column)}  {'   '.join(own)}", indent=column + 4)

    def _thoughts(self) -> Iterator[Text]:
        """A line for each player and day, without what was thought again."""
        if self.village.thoughts:
            yield self.title(self.word("thoughts"))
        for day, thoughts in groupby(self.village.thoughts, lambda thought: thought.day):
            yield self.note(self.words("werewolf.day", day=day))
            by_name: dict[str, dict[str, None]] = {}
            for thought in thoughts:
                by_name.setdefault(thought.name, {})[" ".join(thought.text.split())] = None
            for name in filter(by_name.get, self.village.names):
                yield self._painted(f"  {name}: {self._say.say('space').join(by_name[name])}", indent=4)
