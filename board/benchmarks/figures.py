# SPDX-License-Identifier: LGPL-2.1-or-later
"""A figure that a goal is held against, what can be told of it, and the verdict."""

from dataclasses import dataclass


def told(values):
    """Whether [median, least, most] says more than its rounds differ by."""
    return bool(values) and values[0] > 0 and values[2] - values[1] < values[0]


def own_told(entry):
    """The same of what is left without the camera's: a part that exceeds its whole is noise."""
    return told(entry.get("own-ms")) and entry["own-ms"][0] <= entry["cpu-ms"][0]


def with_spread(values, digits=2):
    return "-" if not values else f"{values[0]:.{digits}f} ({values[1]:.{digits}f}..{values[2]:.{digits}f})"


def cost(values, digits=3, clear=True):
    """The same for what is a difference, which the host's load can hide."""
    if not values or (clear and told(values)):
        return with_spread(values, digits)
    return f"not told ({values[1]:.{digits}f}..{values[2]:.{digits}f})"


def ratio(above, below):
    """Of two [median, least, most]: the ratio of the medians, and the least and most that it can be."""
    if not above or not below or below[0] <= 0:
        return None
    return [above[0] / below[0], above[1] / below[2], above[2] / below[1] if below[1] > 0 else float("inf")]


@dataclass(frozen=True)
class Figure:
    """What was measured in one place; the smaller, the better."""

    where: str
    value: float | None  # None: not measured here, though something else was
    low: float | None = None
    high: float | None = None
    told: bool = True
    words: str = ""  # what it is beside

    def misses(self, limit):
        # What cannot be told misses only what it exceeds in each round.
        return self.value is not None and self.value > limit and (self.told or (self.low or 0) > limit)

    def is_clear(self, limit):
        return self.told and (self.value if self.high is None else self.high) <= limit

    def say(self, form, words=True):
        if self.value is None:
            return f"{self.where} not measured"
        spread = "" if self.low is None else f" ({self.low:{form}}..{self.high:{form}})"
        return f"{self.where} {f'{self.value:{form}}' if self.told else 'not told'}{spread}{self.words if words else ''}".strip()


def verdict(figures, limit):
    """A goal is met where every figure keeps the limit in every round, and missed where one figure does not."""
    measured = [figure for figure in figures if figure.value is not None]
    if not measured:
        return "not measured"
    if any(figure.misses(limit) for figure in measured):
        return "**missed**"
    if len(measured) < len(figures):
        return "not measured everywhere"
    return "met" if all(figure.is_clear(limit) for figure in measured) else "too noisy to judge"


def goal(key, name, limit_words, figures, limit, form):
    """One row of the goals; `missed` has what does not keep the limit, with what it is beside."""
    result = verdict(figures, limit)
    missed = [figure.say(form) for figure in figures if figure.misses(limit)]
    if result == "too noisy to judge":
        missed = [figure.say(form) for figure in figures if not figure.is_clear(limit)]
    return {"key": key, "goal": name, "limit": limit_words, "verdict": result, "missed": missed,
            "measured": ", ".join(figure.say(form, not missed) for figure in figures) or "-"}
