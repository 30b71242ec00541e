"""Figures for Prometheus (https://prometheus.io); none of them holds a text, a name or a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from wolf_chatbox.talk.server.drawing import Job
from wolf_chatbox.talk.server.roster import Roster

SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120)


class Metrics:
    """A server's figures, in a registry of their own."""

    def __init__(self, roster: Roster) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(_Gates(roster))
        new: dict[str, Any] = {"namespace": "wolf_chatbox", "registry": self.registry}
        self.requests = Counter("requests", "Requests answered", ("path", "status"), **new)
        self.prompt_tokens = Counter("prompt_tokens", "Tokens of prompts", **new)
        self.reply_tokens = Counter("reply_tokens", "Tokens drawn", **new)
        self.cancelled = Counter("cancelled", "Requests whose client left before the end", **new)
        self.first = Histogram("first_token_seconds", "From the request to the first text", buckets=SECONDS, **new)
        self.whole = Histogram("reply_seconds", "From the request to the end of its replies", buckets=SECONDS, **new)

    def note(self, jobs: Sequence[Job], begun: float) -> None:
        """Count a request whose replies are drawn; `begun` is when it came, in seconds of `time.monotonic`."""
        for job in jobs:
            self.reply_tokens.inc(job.drawing.reply.drawn)
            self.prompt_tokens.inc(len(job.drawing.reply.prompt))
            if job.first_piece is not None:
                self.first.observe(job.first_piece - begun)
        self.whole.observe(max(job.ended for job in jobs) - begun)

    def text(self) -> bytes:
        return generate_latest(self.registry)


class _Gates(Collector):
    def __init__(self, roster: Roster) -> None:
        self._roster = roster

    def collect(self) -> list[GaugeMetricFamily]:
        running = GaugeMetricFamily("wolf_chatbox_running", "Replies that are drawn now", labels=["model"])
        waiting = GaugeMetricFamily("wolf_chatbox_waiting", "Requests that wait for a slot", labels=["model"])
        slots = GaugeMetricFamily("wolf_chatbox_slots", "Replies that can be drawn at once", labels=["model"])
        for name, served in self._roster.by_name.items():
            running.add_metric([name], served.gate.running)
            waiting.add_metric([name], served.gate.waiting)
            slots.add_metric([name], served.gate.places)
        return [running, waiting, slots]
