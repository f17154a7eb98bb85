"""All published claims together: how much stands, what fell to revision, what no vintage at hand has."""

import pandas as pd

from tradelib.briefs.brief import Brief
from tradelib.studies.claims import Article, list_articles, load_article
from tradelib.studies.ledger import FATES, STANDS, Line, audit, fate
from tradelib.studies.printed import UNTESTED, as_printed
from tradelib.studies.study import Study
from tradelib.style.words import Text, day, series

Audited = list[tuple[Article, list[Line]]]
#: What became of claims -> the end of a fact's id.
IDS = {one: one.replace(" ", "_") for one in FATES}


class Library(Study):
    """A brief with the facts `claims.*`, on all bundled articles. Made by `study`.

    Attributes
    ----------
    audited : list of tuple
        Each article and its lines, the oldest first.
    standing : DataFrame
        One row for each article: how many claims, by what became of them.
    """

    def __init__(self, brief: Brief):
        super().__init__(brief)
        articles = map(load_article, list_articles())
        known = sorted(articles, key=lambda one: one.published)
        out = [one for one in known if one.published <= brief.as_of]
        self.audited = [(one, audit(one, as_of=brief.as_of)) for one in out]
        self.standing = standing(self.audited)

    def told(self, wanted: str) -> pd.DataFrame:
        """The claims of one of `FATES`: with whom, what was printed, the figure next to the day, and now."""
        rows = [
            (article.publisher, day(article.published), *_whose(line), line.claim.shown, *_figures(line))
            for article, line in lines_of(self.audited)
            if fate(line) == wanted
        ]
        names = ["publisher", "published", "with", "claim", "printed", "then", "now"]
        return pd.DataFrame(rows, columns=names)


def lines_of(audited: Audited) -> list[tuple[Article, Line]]:
    """Every claim; other readings of one are left out."""
    return [(article, line) for article, lines in audited for line in lines if not line.claim.also]


def standing(audited: Audited) -> pd.DataFrame:
    """Count, for each article, its claims by what became of them: a row each, then all together."""
    rows = []
    for article, lines in audited:
        fates = [fate(line) for _, line in lines_of([(article, lines)])]
        rows.append([article.id, str(article.published), len(fates), *(fates.count(one) for one in FATES)])
    table = pd.DataFrame(rows, columns=["article", "published", "claims", *FATES])
    whole = [["all", "", *table.iloc[:, 2:].sum()]]
    return pd.concat([table, pd.DataFrame(whole, columns=list(table))], ignore_index=True)


def _whose(line: Line) -> tuple[str, str]:
    """The partners of a claim, and the claim."""
    return series([one.prose for one in line.claim.partners]), line.claim.text


def _figures(line: Line) -> tuple[str, str]:
    """The figure of the vintage nearest to the day, and the newest, each with its vintage."""
    near = line.on_the_day if line.on_the_day.vintage else line.now
    told = [(as_printed(line.claim.printed, one.value, one.shown), one.vintage) for one in (near, line.now)]
    return tuple(f"{shown} ({vintage})" if vintage else shown for shown, vintage in told)


def study(brief: Brief) -> Library:
    """Judge all bundled claims by the day of a brief, which counts as now.

    Parameters
    ----------
    brief : Brief
        From `tradelib.brief`; articles published by its `as_of` are judged.

    Returns
    -------
    Library
        The facts of the brief and those whose ids start with `claims.`: how many there are, how many can
        be tested, stand, were revised away, or are in no vintage at hand.

    Examples
    --------
    >>> import tradelib as tl
    >>> found = study(tl.brief("KOR", "2014-01", as_of="2014-03-07"))
    >>> found["claims.articles"].value, found["claims.all"].value
    (5, 25)
    """
    found = Library(brief)
    lines = [line for _, line in lines_of(found.audited)]
    fates = [fate(line) for line in lines]
    counts = {"articles": len(found.audited), "all": len(lines)}
    counts |= {id: fates.count(one) for one, id in IDS.items()}
    counts["tested"] = counts["all"] - counts["not_testable"]
    then = [line.on_the_day.verdict for line in lines if line.on_the_day.verdict != UNTESTED]
    counts |= {"real_time": len(then), "right_then": sum(one in STANDS for one in then)}
    for name, value in counts.items():
        _put(found, name, value, "count")
    for part, whole in (("stands", "tested"), ("right_then", "real_time")):
        share = 100 * counts[part] / counts[whole] if counts[whole] else None
        _put(found, f"{part}_pct", share, "percent")
    return found


def _put(found: Library, name: str, value, unit: str) -> None:
    source = {"table": "claims", "vintage": str(found.as_of), "vintage_lag_days": 0}
    source |= {"vintage_method": "published", "basis": "as printed", "adjustment": "none"}
    label = f"Published claims: {name.replace('_', ' ')}"
    found.put(f"claims.{name}", value, unit=unit, window=found.as_of, label=label, source=source)


def about(found: Library, article: str = "") -> list[tuple[Article, list[Line]]]:
    """The article named, or else those on the partner and release of the brief."""
    if article:
        source = load_article(article)
        return [(source, audit(source, as_of=found.as_of))]
    mine = (found.partner.code, found.snapshot.release.month)
    return [one for one in found.audited if (one[0].partner.code, one[0].release) == mine]


def addresses(found: Library) -> Text:
    """List the articles with their addresses."""
    lines = []
    for article, _ in found.audited:
        what = f"[{article.title}]({article.address})" if article.address else article.title
        lines.append(f"- {article.publisher}, {day(article.published)}: {what}")
    return Text("\n".join(lines))
