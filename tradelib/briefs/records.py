"""Records in goods: since when a figure is the highest or lowest, how near it came, how many in a row.

A history is that of the vintage in use through the statistical month; its last figure, and that of a year
earlier, are those of the brief.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from tradelib.briefs.goods import LINKS, NO_BASE
from tradelib.style import words
from tradelib.style.words import missing
from tradelib.tables import GOODS
from tradelib.windows import Window

#: Years that a superlative must reach back; as many among all months, so that it holds for a season too.
LEAST_YEARS = 3
#: Years that one among the same months ("for a July") must reach back.
LEAST_SAME = 5
#: Up to this percentage of a record is a near miss.
NEAR_PCT = 1.0
#: From this part of it on the record month is told.
IN_REACH = 0.5
#: So many in a row are told.
LONG = 3
#: The past figures among which it is counted how often one stood out as much: ten years of months.
PAST = 120


class History(NamedTuple):
    """Figures of one partner, one for each month, or for the year to date of each year, without gaps."""

    values: np.ndarray
    last: pd.Period

    def period(self, place: int) -> pd.Period:
        """The month or year of a figure."""
        return self.last - (len(self.values) - 1 - place)


class Standing(NamedTuple):
    """How the last of some figures stands out: the word, and the place of its last rival, None on record.

    It reaches back so many; `often` of `among` figures before it stood out as much.
    """

    word: str
    rival: int | None
    reach: int
    often: int
    among: int


def history(brief, side: str, span: str) -> History:
    """A partner's goods exports, imports or balance: by "month", or the year to date by year ("ytd").

    It begins after its last gap: of what is not known no record can be told.
    """
    s, code = brief.snapshot, brief.partner.code
    monthly = s.monthly_goods[f"{side}_usd"]
    values = monthly[code].to_numpy(float).copy() if code in monthly else np.empty(0)
    first, _ = s.span_of_trade(code)
    values[: 0 if first is None else (first - monthly.index[0]).n] = np.nan
    last = s.month if span == "month" else s.month.asfreq("Y-DEC")
    if span == "ytd" and len(values):
        first = 1 - monthly.index[0].month  # whole years
        values = np.concatenate([np.full(-first, np.nan), values, np.full(12 - s.month.month, np.nan)])
        values = values.reshape(-1, 12)[:, : s.month.month].sum(axis=1)
    now = brief.value(f"goods.{side}.{span}")
    if not len(values) or missing(now):
        return History(np.empty(0), last)
    values[-1], place = now, -13 if span == "month" else -2
    earlier = s.goods_sums(code)[0][f"{span} before"]
    if len(values) >= -place and code in earlier.index:
        values[place] = earlier.at[code, f"{side}_usd"]
    gaps = np.flatnonzero(np.isnan(values))
    return History(values[gaps[-1] + 1 if len(gaps) else 0 :], last)


def records_facts(brief) -> None:
    """Write the superlatives, earlier records and streaks of goods, and the record month of exports."""
    for span in ("month", "ytd"):
        for side in LINKS:
            past = history(brief, side, span)
            _superlative(brief, side, span, past)
            _earlier_record(brief, side, span, past)
            _streak(brief, side, span, past)
    _record_month(brief)


def stands_out(values: np.ndarray, least: int, *, balance: bool = False) -> Standing | None:
    """Find how the last of some figures, one a period, stands out from all before it; None if it does not.

    Of a balance the size is meant: a deficit among deficits, or the first of its kind for long.
    """
    if len(values) < least + 2 or values[-1] == 0:
        return None
    size = -values if balance and values[-1] < 0 else values
    past, last = size[:-1], len(size) - 1
    large, small = ("largest", "smallest") if balance else ("highest", "lowest")
    cases = [(large, past >= size[-1], size), (small, past <= size[-1], -size)]
    if balance and not past[-1] > 0:
        cases = [("first", past > 0, np.sign(size)), cases[0]]
    for word, as_much, ordered in cases:
        rivals = np.flatnonzero(as_much | np.isnan(past))
        if len(rivals) and np.isnan(past[rivals[-1]]):  # what is not known may have been a rival
            continue
        reach = last - (int(rivals[-1]) if len(rivals) else 0)
        if reach >= least:
            runs = np.lib.stride_tricks.sliding_window_view(ordered[:-1], least + 1)[-PAST:]
            events = int((runs[:, -1] > runs[:, :-1].max(axis=1)).sum())
            return Standing(word, int(rivals[-1]) if len(rivals) else None, reach, events, len(runs))
    return None


def _superlative(brief, side: str, span: str, past: History) -> None:
    """Since when a figure is the highest or lowest; a month among all months, or else among its own."""
    s, balance, by_month, told = brief.snapshot, side == "balance", span == "month", None
    found = stands_out(past.values, LEAST_YEARS * (12 if by_month else 1), balance=balance)
    among, step = " of any month" if by_month else "", 1
    if not found and by_month:
        found = stands_out(past.values[::-12][::-1], LEAST_SAME, balance=balance)
        found = None if found and found.word == "first" else found
        name = words.MONTHS[s.month.month - 1]
        among, step = f" for {'an' if name[0] in 'AO' else 'a'} {name}", 12
    more = dict.fromkeys(("word", "of", "short", "rival", "rival_usd", "reach", "often", "among"))
    more |= {"is_record": False, "of_any": bool(found) and step == 1}
    if found:
        kind, on_record = words.position(past.values[-1]), found.rival is None
        what = f" {kind}" if found.word == "first" else among
        short = f"{found.word}{what} on record"
        told = f"{short}, in figures since {past.period(0).year}"
        more |= {"word": found.word, "is_record": on_record and found.word in ("highest", "largest")}
        more["of"] = "balance" if found.word == "first" or not balance else kind
        more |= {"reach": found.reach, "often": found.often, "among": found.among}
        if not on_record:
            place = len(past.values) - 1 - step * found.reach
            rival, usd = past.period(place), past.values[place]
            other = words.position(usd)
            turned = found.word == "smallest" and other not in (kind, "balance")
            when = rival.year if step == 12 else words.period(rival)
            first = "the first on record, " if place < step else f"the {other} of " if turned else ""
            told = short = f"{found.word}{what} since {first}{when}"
            more |= {"rival": str(rival), "rival_usd": usd}
        more["short"] = short
    _put(
        brief,
        f"goods.{side}.{span}.superlative",
        told,
        unit="text",
        label=f"U.S. goods {side} {LINKS[side]} {{p}}, {_when(s, span)}, among those before",
        reason=f"neither the highest nor the lowest for {LEAST_YEARS} years",
        past=past,
        **more,
    )


def _put(brief, id: str, value, *, past: History, reason: str, window=None, **more) -> None:
    """Write a fact on the history of goods."""
    s = brief.snapshot
    span = s.months if ".ytd." in id else s.month
    reason = reason if len(past.values) else "the country table has no complete row of it"
    brief.add(id, value, window=window or span, table=GOODS, reason=reason, **more)


def _when(s, span: str) -> str:
    return words.period(s.month) if span == "month" else words.span(s.months)


def _earlier_record(brief, side: str, span: str, past: History) -> None:
    """The highest before, of a balance the largest of its kind, and how near this figure came to it."""
    s, value, window = brief.snapshot, None, None
    more = {"period": None, "short_usd": None, "near": False, "since": None}
    what = f"Highest U.S. goods {side}"
    if len(past.values) > 1:
        size = -past.values if side == "balance" and past.values[-1] < 0 else past.values
        what = f"Largest U.S. goods {words.position(past.values[-1])}" if side == "balance" else what
        best = len(size) - 2 - int(np.argmax(size[-2::-1]))
        window = Window(past.period(0), past.period(len(size) - 2))
        more |= {"since": str(window.start.year)}
        long = len(size) > LEAST_YEARS * (12 if span == "month" else 1)
        if size[best] > 0:
            value, short = past.values[best], size[best] - size[-1]
            more |= {"period": str(past.period(best)), "short_usd": short if short >= 0 else None}
            more["near"] = long and 0 < short <= NEAR_PCT / 100 * size[best]
    spell = words.span(s.months).removesuffix(f" {s.month.year}")
    spell = "month" if span == "month" else "year" if s.month.month == 12 else spell
    _put(
        brief,
        f"goods.{side}.{span}.earlier_record",
        value,
        unit="USD",
        label=f"{what} {LINKS[side]} {{p}} of any {spell} before {_when(s, span)}",
        reason="there is none before",
        past=past,
        window=window,
        **more,
    )


def _streak(brief, side: str, span: str, past: History) -> None:
    """How many months or years in a row it rose, or fell, on a year earlier."""
    step, value, moved = 12 if span == "month" else 1, None, None
    ways = np.sign(past.values[step:] - past.values[:-step])
    if len(ways):
        other = np.flatnonzero(ways != ways[-1])
        value = (len(ways) - 1 - (int(other[-1]) if len(other) else -1)) * int(abs(ways[-1]))
        moved = {1: "risen", 0: None, -1: "fallen"}[int(ways[-1])]
        if side == "balance" and moved:
            moved = "improved" if moved == "risen" else "worsened"
    _put(
        brief,
        f"goods.{side}.{span}.streak",
        value,
        unit="count",
        label=f"{'Months' if span == 'month' else 'Years'} in a row that U.S. goods {side} {LINKS[side]} "
        f"{{p}} moved the same way on a year earlier, through {_when(brief.snapshot, span)}",
        reason=NO_BASE,
        past=past,
        moved=moved,
        long=bool(value and value >= LONG),
    )


def _record_month(brief) -> None:
    """The highest month of exports, this one among them."""
    s, past = brief.snapshot, history(brief, "exports", "month")
    values, beaten, since = past.values, None, past.period(0) if len(past.values) else s.month
    top = len(values) - 1 - int(np.argmax(values[::-1])) if len(values) else 0
    traded = len(values) > 0 and values[top] > 0
    beaten = top == len(values) - 1 if traded else None
    about = {"window": Window(since, s.month), "reason": "no exports on record", "past": past}
    near = traded and values[-1] >= IN_REACH * values[top]
    about |= {"since": str(since.year), "long": len(values) > LEAST_YEARS * 12, "in_reach": near}
    label = f"ighest month of U.S. goods exports to {{p}} since {since.year}"
    month, usd = (str(past.period(top)), values[top]) if traded else (None, None)
    _put(
        brief, "goods.exports.record_month", month, unit="month", label=f"H{label}", highest_usd=usd, **about
    )
    label = f"Is {words.period(s.month)} the h{label}"
    _put(brief, "goods.exports.month.is_record", beaten, unit="bool", label=label, **about)
