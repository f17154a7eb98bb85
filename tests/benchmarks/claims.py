"""How many published claims can be asked, and how often the verdicts are those of the blind labels.

    python tests/benchmarks/claims.py [FOLDER] [--sample N --seed S]

FOLDER holds claims.csv as `../shared/claims` does. Labels are of three kinds: of the vintage nearest to the
day, of the day itself, and of the newest vintage; a label on a vintage that is not at hand is passed over.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support")]
from published_claims import document  # noqa: E402

from tradelib.studies.claims import load_article  # noqa: E402
from tradelib.studies.ledger import audit  # noqa: E402

HANDED = ROOT.parent / "shared" / "claims"
NEWEST = "2025-10-18"
#: What a disagreement may come from, and is not the program's.
RULES = {
    "superseded": "rule of 0.1: a vintage with an annual revision since counted as published",
    "unrevised": "rule: the figure was the same before and after the day, so it was that day's",
    "released": "rule: another table, or vintage, is nearer to the day",
    "hedge": "rule: more than, nearly and about are what they say",
}


def measure(rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Audit one document's claims: a row for each, with the verdicts beside the labels."""
    text, found = document(rows)
    asked = [claim is not None for claim in found]
    told = rows.assign(asked=asked, fact=[claim and claim["fact"] for claim in found])
    if not any(asked):
        return told
    path = folder / f"{rows.iloc[0]['doc']}.yaml"
    path.write_text(text, encoding="utf-8")
    lines = audit(load_article(path), as_of=NEWEST)
    verdicts = {}
    for line in lines:
        every = {one.vintage: one for one in (line.on_the_day, *line.later) if one.vintage}
        verdicts[line.claim.id] = (line, every)
    return told.assign(
        line=[verdicts.get(id, (None, {}))[0] for id in rows["claim"]],
        readings=[verdicts.get(id, (None, {}))[1] for id in rows["claim"]],
    )


def compare(row) -> list[tuple[str, str, str, str]]:
    """The kinds of labels of a row that can be compared: kind, label, verdict, why they may differ."""
    found, line = [], row["line"]
    near = str(row["near_vintage"])[:10]
    hedge = "hedge" if line.claim.printed.hedge else ""
    if row["near_verdict"] != "not computed" and near in row["readings"]:
        reading = row["readings"][near]
        if reading is not line.on_the_day or reading.verdict != "cannot be tested":
            found.append(("near", row["near_verdict"], reading.verdict, hedge))
    if row["now_verdict"] != "not computed":
        found.append(("now", row["now_verdict"], line.now.verdict, hedge))
    if row["day_verdict"] != "not computed":
        why = hedge
        if (
            "annual revision" in (line.on_the_day.reason or "")
            or line.on_the_day.vintage != row["day_vintage"]
        ):
            why = "superseded" if line.on_the_day.verdict == "cannot be tested" else "released"
        found.append(("day", row["day_verdict"], line.on_the_day.verdict, why))
    return found


def main() -> None:
    """Print the two figures and every disagreement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", type=Path, default=HANDED)
    options.add_argument("--sample", type=int, help="so many documents only")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    claims = pd.read_csv(chosen.folder / "claims.csv", dtype="str")
    documents = claims["doc"].drop_duplicates()
    if chosen.sample:
        documents = documents.sample(chosen.sample, random_state=chosen.seed)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        parts = [measure(claims[claims["doc"] == doc], Path(folder)) for doc in documents]
    seconds = time.perf_counter() - start
    told = pd.concat(parts, ignore_index=True)
    print(f"{len(told)} claims of {len(documents)} documents, {seconds:.1f} s")
    print(f"can be asked: {told['asked'].sum()} ({100 * told['asked'].mean():.1f} percent)")
    for row in told[~told["asked"]].to_dict("records"):
        print(f"  not: {row['claim']} ({row['kind']}): {row['text']}")
    counts, same, off = Counter(), Counter(), []
    for row in told[told["asked"]].to_dict("records"):
        for kind, label, verdict, why in compare(row):
            counts[kind] += 1
            same[kind] += label == verdict
            if label != verdict:
                off.append((kind, why, row, label, verdict))
    for kind, n in counts.items():
        explained = sum(one[0] == kind and bool(one[1]) for one in off)
        print(
            f"{kind}: {same[kind]} of {n} labels ({100 * same[kind] / n:.1f} percent), {explained} by a rule"
        )
    for kind, why, row, label, verdict in off:
        line = row["line"]
        reading = {"now": line.now, "day": line.on_the_day}.get(kind, line.on_the_day)
        told = f"label {label} ({row[f'{kind}_value']}, {row[f'{kind}_vintage']}), verdict {verdict}"
        told += f" ({reading.value}, {reading.vintage} {reading.vintage_method}); {row['fact']}"
        told += f", printed {line.claim.shown}. {RULES.get(why, 'NOT EXPLAINED')}"
        print(f"  {kind} {row['claim']}: {told}")


if __name__ == "__main__":
    main()
