"""What one vintage of a table changed against another: rows added, dropped, revised."""

from dataclasses import dataclass

import pandas as pd

from tradelib.store.vintages import Vintage
from tradelib.tables import KEYS

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """How a vintage differs from the one before; `largest` has the largest revisions, in dollars."""

    table: str
    before: Vintage
    after: Vintage
    added: int
    dropped: int
    revised: int
    largest: pd.DataFrame


def compare(old: pd.DataFrame, new: pd.DataFrame, table: str, before: Vintage, after: Vintage) -> Difference:
    """Compare the rows of two vintages.

    Parameters
    ----------
    old, new : DataFrame
        Contract columns, whole dollars.
    table : str
        Their table.
    before, after : Vintage
        Which vintages they are.

    Returns
    -------
    Difference
        `largest` has `partner`, `flow`, `item`, `period`, `before_usd`, `after_usd` and `change_usd`,
        the largest changes first; a figure that became missing, or was, counts as revised. Rows of
        periods that the new one does not cover are not counted as dropped.

    Examples
    --------
    >>> from tradelib.store.vintages import list_vintages, read
    >>> before, after = list_vintages("goods_census_nsa")[2:4]
    >>> found = compare(read(before), read(after), "goods_census_nsa", before, after)
    >>> found.added > 10_000, found.largest.columns[-1]
    (True, 'change_usd')
    """
    old = old[old["period"].between(new["period"].min(), new["period"].max())]
    sides = [frame.set_index(KEYS)["value_usd"] for frame in (old, new)]
    both = sides[0].index.intersection(sides[1].index)
    pair = pd.DataFrame({"before_usd": sides[0].loc[both], "after_usd": sides[1].loc[both]})
    changed = (pair["before_usd"] != pair["after_usd"]) & ~pair.isna().all(axis=1)
    revised = pair[changed].assign(change_usd=lambda rows: rows["after_usd"] - rows["before_usd"])
    order = revised["change_usd"].abs().sort_values(ascending=False, kind="stable").index
    return Difference(
        table,
        before,
        after,
        added=len(sides[1]) - len(both),
        dropped=len(sides[0]) - len(both),
        revised=len(revised),
        largest=revised.loc[order[:SHOWN]].reset_index(),
    )
