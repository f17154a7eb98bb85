"""Digits, units, signs and words changed at random on pages: whether `tradelib check` finds each.

    python tests/benchmarks/check.py [REPORTS] [--mutations 1000] [--seed 20261126] [--partners 30]

REPORTS is a folder that `tradelib sweep` made; without one, all partners of three releases are swept: one
without a new quarter, one in January, one old. First all pages are checked as they are, and timed; then pages
are changed in one place, in the page, the notebook or the facts, and compared with what they are when worked
out again. Prints the counts: caught, missed with examples, false alarms, seconds.
"""

import argparse
import collections
import json
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from tradelib.errors import TradelibError
from tradelib.runs import check, plan, sweep

#: One without a new quarter, a January with one, and an old one.
RELEASES = ("2024-08", "2020-01", "1998-06")

#: Words that say another thing in the place of each other.
PAIRS = """million billion,thousand million,percent points,narrowed widened,rose fell,risen fallen,up down,
surplus deficit,larger smaller,largest smallest,exports imports,exported imported,higher lower,highest lowest,
improved worsened,added subtracted,above below,peak trough,grew shrank,goods services,first second,
January February,August September,July June,March April,December November,first third,eighth ninth,
more less,increase decrease,month year,quarter month,since before,few many""".replace("\n", "")
SWAPS = collections.defaultdict(list)
for pair in PAIRS.split(","):
    one, other = pair.split()
    SWAPS[one].append(other)
    SWAPS[other].append(one)
#: A digit, a sign before an amount, an ordinal, or a word that has an opposite.
PLACES = re.compile(
    rf"(?P<digit>\d)|(?P<sign>[-+\u2212](?=\$?\d))|\b(?P<word>{'|'.join(SWAPS)})\b|(?P<bare>(?<= )\$)"
)
#: What of a page in HTML is seen, or seen when pointed at: texts between marks, and three attributes.
SEEN = re.compile(r"(?<!style)(?<!css\")>([^<>]+)<|\b(?:title|alt|value)=\"([^\"]+)\"")


def changed(text: str, rng: random.Random) -> tuple[str, str] | None:
    """A text changed in one place, and what was done; None where there is no such place."""
    places = list(PLACES.finditer(text))
    if not places:
        return None
    kind = rng.choice(sorted({place.lastgroup for place in places}))  # digits are many
    at = rng.choice([place for place in places if place.lastgroup == kind])
    if kind == "digit":
        new = rng.choice([digit for digit in "0123456789" if digit != at[0]])
    elif kind == "word":
        new = rng.choice(SWAPS[at[0]])
    else:
        new = {"+": "-", "-": "+", "\u2212": "", "$": "-$"}[at[0]]
    around = text[max(0, at.start() - 40) : at.end() + 20].replace("\n", " ")
    return text[: at.start()] + new + text[at.end() :], f"{at[0]} -> {new!r} in ...{around}..."


def in_page(text: str, rng: random.Random) -> tuple[str, str] | None:
    """A page changed where its reader looks."""
    body = text.index("<body>")
    spans = [
        hit.span(hit.lastindex) for hit in SEEN.finditer(text, body) if PLACES.search(hit[hit.lastindex])
    ]
    start, end = rng.choice(spans)
    new, told = changed(text[start:end], rng)
    return text[:start] + new + text[end:], told


def in_notebook(text: str, rng: random.Random) -> tuple[str, str] | None:
    """A notebook changed in what a cell shows."""
    book = json.loads(text)
    outputs = [output for cell in book["cells"] for output in cell.get("outputs", []) if output.get("data")]
    data = rng.choice(outputs)["data"]
    kind = rng.choice(sorted(set(data) & {"text/markdown", "text/plain", "text/html"}))
    if "image/png" in data and kind == "text/html":  # a tag: its alternative text
        head, alt, tail = re.split(r'(?<=alt=")([^"]*)', data[kind], maxsplit=1)
        done = changed(alt, rng)
        new = done and (f"{head}{done[0]}{tail}", done[1])
    elif kind == "text/plain":
        new = changed(data[kind], rng)
    else:
        spans = [
            hit.span(hit.lastindex) for hit in SEEN.finditer(data[kind]) if PLACES.search(hit[hit.lastindex])
        ]
        if not spans:
            return None
        start, end = rng.choice(spans)
        done = changed(data[kind][start:end], rng)
        new = (data[kind][:start] + done[0] + data[kind][end:], done[1])
    if not new:
        return None
    data[kind] = new[0]
    return json.dumps(book), f"{kind}: {new[1]}"


def in_facts(text: str, rng: random.Random) -> tuple[str, str] | None:
    """A file of facts changed in one value."""
    facts = json.loads(text)
    holder, name = facts["facts"], rng.choice(sorted(facts["facts"]))
    while isinstance(holder[name], (dict, list)):
        holder = holder[name]
        names = list(holder if isinstance(holder, dict) else range(len(holder)))
        if not names:
            return None
        name = rng.choice(names)
    value = holder[name]
    if value is None:
        return None
    if isinstance(value, bool):
        holder[name] = not value
    elif isinstance(value, (int, float)):
        holder[name] = rng.choice([-value, value + 1, value * 1000]) if value else 1
    else:
        done = changed(value, rng)
        if not done:
            return None
        holder[name] = done[0]
    return json.dumps(facts), f"{name}: {value} -> {holder[name]}"


def in_picture(text: str, rng: random.Random) -> tuple[str, str] | None:
    """A page with one of its pictures in the place of another."""
    pictures = [hit.span(1) for hit in re.finditer(r'base64,([^"]+)"', text)]
    if len(pictures) < 2:
        return None
    (start, end), (a, b) = rng.sample(pictures, 2)
    return text[:start] + text[a:b] + text[end:], "a picture in the place of another"


WAYS = [(".html", in_page)] * 11 + [(".ipynb", in_notebook)] * 5 + [(".facts.json", in_facts)] * 3
WAYS += [(".html", in_picture)]


def swept(folder: Path) -> list[Path]:
    """Sweep all partners of the releases; each page is checked there too."""
    for month in RELEASES:
        done = sweep.run(plan.plan(month, reports=folder / month))
        print(f"{month}:", *done.lines(), sep="\n  ")
    return [folder / month for month in RELEASES]


def as_they_are(place: Path) -> int:
    """Check all pages of a release unchanged, as the command does: how many alarms."""
    began, alarms, pages = time.perf_counter(), [], check.pages_of(place)
    for page, found in check.check_all(pages):
        alarms += [f"{page.name}: {line}" for line in (*found.faults, *found.unbound)]
    took = time.perf_counter() - began
    print(
        f"{len(pages)} pages as they are: {len(alarms)} false alarms, {took:.1f} s on {check.cores()} cores"
    )
    print(*alarms[:10], sep="\n")
    return len(alarms)


def _found(texts: dict[str, str], again: dict) -> bool:
    """Whether a page's files are found to be other than what was worked out, or damaged."""
    try:
        return any(check.compare(texts.get(".html"), *check.documents_of(texts), again))
    except TradelibError:
        return True


def mutated(pages: list[Path], mutations: int, rng: random.Random) -> int:
    """Change pages again and again: how many changes were missed."""
    caught, missed = collections.Counter(), []
    for number, page in enumerate(pages):
        texts = check.texts_of(page)
        again, _ = check.work_out(json.loads(texts[".ipynb"]))
        share = mutations // len(pages) + (number < mutations % len(pages))
        while share:
            end, way = rng.choice(WAYS)
            if done := way(texts[end], rng):
                share -= 1
                found = _found({end: done[0]}, again)
                caught[way.__name__] += found
                if not found:
                    missed.append(f"{page.name}{end}: {done[1]}")
    print(
        f"{mutations} changes on {len(pages)} pages: {caught.total()} caught, {len(missed)} missed",
        dict(caught),
    )
    print(*missed[:20], sep="\n")
    return len(missed)


def main() -> None:
    """Read the command line, and do both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("reports", type=Path, nargs="?")
    parser.add_argument("--mutations", type=int, default=1000)
    parser.add_argument("--partners", type=int, default=30)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--only-mutations", action="store_true")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    print(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory() as folder:
        places = [asked.reports] if asked.reports else swept(Path(folder))
        pages = [page for place in places for page in check.pages_of(place)]
        alarms = 0 if asked.only_mutations else sum(map(as_they_are, places))
        began = time.perf_counter()
        missed = mutated(rng.sample(pages, min(asked.partners, len(pages))), asked.mutations, rng)
        print(f"{time.perf_counter() - began:.1f} s")
    sys.exit(bool(missed or alarms))


if __name__ == "__main__":
    main()
