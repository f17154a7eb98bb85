"""What one vintage of a table changed against another: rows added, dropped, revised."""

from dataclasses import dataclass

import pandas as pd

from tradelib.tables import KEYS

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """How many rows differ, and the largest revisions, in dollars.

    `largest` has `partner`, `flow`, `item`, `period`, `before_usd`, `after_usd` and `change_usd`.
    """

    added: int
    dropped: int
    revised: int
    largest: pd.DataFrame


def compare(old: pd.DataFrame, new: pd.DataFrame) -> Difference:
    """Compare the rows of two vintages, older first.

    A figure that became missing, or was, counts as revised. Rows of periods that the new one does not cover
    are not counted as dropped.
    """
    old = old[old["period"].between(new["period"].min(), new["period"].max())]
    before, after = (frame.set_index(KEYS)["value_usd"] for frame in (old, new))
    both = before.index.intersection(after.index)
    pair = pd.DataFrame({"before_usd": before.loc[both], "after_usd": after.loc[both]})
    changed = (pair["before_usd"] != pair["after_usd"]) & ~pair.isna().all(axis=1)
    revised = pair[changed].assign(change_usd=lambda rows: rows["after_usd"] - rows["before_usd"])
    order = revised["change_usd"].abs().sort_values(ascending=False, kind="stable").index
    return Difference(
        added=len(after) - len(both),
        dropped=len(before) - len(both),
        revised=len(revised),
        largest=revised.loc[order[:SHOWN]].reset_index(),
    )
