"""Published claims (../shared/claims/claims.csv) in the form of claims files: each row a fact, or None."""

import re

import pandas as pd
import yaml

from tradelib import releases
from tradelib.partners import members, resolve

ITEMS = {"C": "goods", "SA": "goods", "G": "goods", "T": "total", "S": "services", "O": "goods"}
ADJUSTED = {"SA": ".sa", "G": ".bop"}
LEVELS = {"level of imports": "imports", "level of exports": "exports", "level of two-way trade": "trade"}
RANKS = {"deficit": "deficit", "partner": "trade", "market": "exports", "supplier": "imports"}
#: What a text calls a commodity, and its code in a classification; the first that fits.
COMMODITIES = {
    "hs": None,
    r"motor vehicle|vehicles and parts|auto": "naics.336",
    r"\bcars?\b": "enduse.30000",
    r"soybean": "enduse.00100",
    r"aircraft|plane": "hs2.88",
    r"crude|oil": "hs4.2709",
    r"gas": "hs4.2711",
    r"advanced technology|semiconductor|chips": "hs4.8542",
    r"computer": "hs4.8471",
    r"phone": "hs4.8517",
    r"pharma|medic": "hs2.30",
    r"steel|iron": "hs2.72",
    r"alumin": "hs2.76",
    r"farm|agric|food|beef|corn|wheat|pork": "enduse.00000",
    r"machin": "hs2.84",
    r"electr": "hs2.85",
    r"cloth|apparel|garment": "hs2.61",
    r"furniture": "hs2.94",
    r"gold": "hs4.7108",
}
HEDGES = {"just over": "more than", "more than": "more than", "at least": "more than", "nearly": "nearly"}
HEDGES |= {"almost": "nearly", "close to": "nearly", "about": "about", "over": "more than"}
YEAR = r"(?:19|20)\d\d"
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september"]
MONTHS += ["october", "november", "december"]
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "20": 20}


def side_of(row, before: dict | None) -> str:
    """Exports, imports, trade, deficit or surplus: by the old fact, the words, or the claim before."""
    fact, text = str(row["fact"]), row["text"].lower()
    if match := re.search(r"\.(exports|imports|trade|deficit)\.", fact):
        return match[1]
    if re.search(r"two-way|goods trade|trade in goods|u\.s\. trade", text):
        return "trade"
    words = {"deficit": r"deficit|gap|shortfall", "surplus": "surplus"}
    words |= {"exports": r"export|shipments to|market", "imports": r"import|supplier|shipments from"}
    for side, like in words.items():
        if re.search(like, text):
            return side
    if "balance" in fact:
        return "deficit"
    return before["side"] if before else "deficit"


def window_of(row) -> tuple[str, str]:
    """The word for a span, and the period after `@`; the release's own are left to it."""
    given, kind, release = str(row["window"]), row["window_kind"], pd.Period(row["release"], "M")
    quarterly = row["basis"] in ("T", "S", "G") and row["partner"] != "WLD"
    own = releases.quarter_out(release) if quarterly else release
    if given in ("m", "ytd"):
        whole = own.month == 12 if not quarterly else own.quarter == 4
        return ("", str(own.year)) if whole and given == "ytd" else ({"m": "month"}.get(given, given), "")
    if given == "py":
        last = own - (4 if quarterly else 12)
        whole = last.month == 12 if not quarterly else last.quarter == 4
        word = "month" if kind == "m" else "ytd"
        return ("", str(last.year)) if whole and kind != "m" else (word, str(last))
    for start, word in (("cy", ""), ("ytd", "ytd"), ("m", "month"), ("q", ""), ("12:", "trailing12")):
        if given.startswith(start) and given != start:
            return word, given.removeprefix(start)
    if given.startswith("span"):
        return "", given.removeprefix("span").replace(":", "..")
    return "", given


def fact_id(item: str, side: str, window: tuple[str, str], measure: str = "", test: str = "", base: str = ""):
    """Put an id together."""
    word, period = window
    if base and not period:
        raise ValueError("a base needs a period")
    parts = ".".join(filter(None, [item, side, word, measure, test]))
    return parts + (f"@{period}" if period else "") + (f" vs {base}" if base else "")


def convert(rows: pd.DataFrame) -> list[dict]:
    """Each row of one document as a claim of a file, or None, in order."""
    found, before = [], None
    for row in rows.to_dict("records"):
        row = {key: "" if pd.isna(value) else value for key, value in row.items()}
        try:
            claim = Converter(row, before).claim()
        except (ValueError, KeyError, TypeError, AttributeError):
            claim = None
        found.append(claim)
        before = claim or before
    return found


class Converter:
    """One row in the language."""

    def __init__(self, row: dict, before: dict | None):
        self.row, self.before, self.text = row, before, row["text"].lower()
        self.item = ITEMS.get(row["basis"], "goods")
        self.side, self.window = side_of(row, before), window_of(row)
        self.partners = [row["partner"]]

    def claim(self) -> dict | None:
        """The claim as a mapping: fact, printed, partner."""
        kind = self.row["kind"]
        if row_is_foreign(self.row):
            return None
        steps = {
            "level of balance": self.level,
            "level, world": self.level,
            "cumulative": self.level,
            "sum of partners": self.sum,
            "ratio": self.ratio,
            "commodity": self.commodity,
            "periods in a row": self.in_a_row,
            "record, highest or lowest since": self.record,
            "list of partners in goods": self.partners_list,
            "custom window": self.change,
        }
        steps |= dict.fromkeys(LEVELS, self.level)
        if kind in steps:
            found = steps[kind]()
        elif kind.startswith("rank"):
            found = self.rank(kind)
        elif kind.startswith("share"):
            found = self.measured("share_pct", self.share_side())
        elif kind.startswith("change"):
            found = self.change()
        else:
            return None
        return found and found | {"side": self.side, "claim": self.row["text"], "partners": self.partners}

    def id(self, measure: str = "", test: str = "", base: str = "", side: str = "") -> str:
        """The id for this row's item, side and window."""
        window = self.window
        if base and not window[1]:
            release = pd.Period(self.row["release"], "M")
            window = ("month" if window[0] == "month" else window[0], str(release))
        side = (side or self.side) + ADJUSTED.get(self.row["basis"], "")
        return fact_id(self.item, side, window, measure, test, base)

    def money(self, *, flip: bool = False, words: bool = False) -> str:
        """The printed figure as people write it."""
        given, unit = str(self.row["printed"]), self.row["unit"]
        negative, bare = given.startswith("-"), given.lstrip("-")
        hedge = next((told for like, told in HEDGES.items() if re.search(rf", {like}\b", self.text)), "")
        bare = scaled(bare, str(self.row["rounding"])) if unit == "USD" else bare
        bare = f"{bare} percent" if unit == "percent" else bare
        way = ""
        if words:
            way = ("up " if negative else "down ") if flip else ("down " if negative else "up ")
        elif negative and not flip:
            way = "-"
        return " ".join(filter(None, [hedge, f"{way}{bare}"])) if way != "-" else f"{hedge} -{bare}".strip()

    def level(self) -> dict:
        """An amount."""
        kind, negative = self.row["kind"], str(self.row["printed"]).startswith("-")
        if self.row["unit"] == "percent":
            return self.change()
        self.side = LEVELS.get(kind) or ("deficit" if negative else self.side_of_balance())
        return {"fact": self.id(), "printed": self.money(flip=negative)}

    def side_of_balance(self) -> str:
        return "surplus" if "surplus" in self.text else "deficit" if "deficit" in self.text else "surplus"

    def measured(self, measure: str, side: str = "", **more) -> dict:
        """A measure, printed as it is."""
        self.side = side or self.side
        words = "change" in measure
        return {"fact": self.id(measure, **more), "printed": self.money(words=words)}

    def share_side(self) -> str:
        if "services" in self.row["kind"] or self.row["basis"] == "T":
            return "trade"
        return self.side

    def rank(self, kind: str) -> dict:
        """A place."""
        self.side = next(side for word, side in RANKS.items() if word in kind)
        return {"fact": self.id("rank"), "printed": str(self.row["printed"])}

    def ratio(self) -> dict:
        """How many times."""
        side = "imports_to_exports" if re.search("imports are", self.text) else "exports_to_imports"
        return {"fact": self.id(side=side), "printed": f"{self.row['printed']} times"}

    def sum(self) -> dict:
        """Several partners added: those named, or those of the claim before."""
        names = re.findall(r"[A-Z][a-z]+", self.row["text"])
        codes = []
        for name in names:
            try:
                codes.append(resolve(name).iso3)
            except ValueError:
                continue
        self.partners = [code for code in codes if code] or self.before["partners"]
        return self.level()

    def commodity(self) -> dict:
        """An amount of a commodity, or its change."""
        basis = re.fullmatch(r"HS(\d+)", self.row["basis"])
        named = re.search(r"\bhs ?(\d{2,6})", self.text)
        digits = (basis or named or [None, None])[1]
        code = f"hs{len(digits)}.{digits}" if digits else None
        code = code or next(code for like, code in COMMODITIES.items() if code and re.search(like, self.text))
        self.item = f"commodity.{code}"
        if self.row["unit"] == "percent":
            return self.change()
        return {"fact": self.id(), "printed": self.money(flip=self.side == "deficit")}

    def in_a_row(self) -> dict:
        """How many in a row, since when, or how many of all."""
        row = self.row
        if row["unit"] == "bool":
            year = re.search(rf"since ({YEAR})", self.text)[1]
            return {"fact": self.id(test="since"), "printed": year}
        if among := re.search(rf"among the (\d+) to ({YEAR})", self.text):
            last = int(among[2])
            self.window = ("", f"{last - int(among[1]) + 1}..{last}")
            return {"fact": self.id(test="count"), "printed": str(row["printed"])}
        years = " years" if re.search(r"years of monthly", self.text) else ""
        return {"fact": self.id(test="in_a_row"), "printed": f"{row['printed']}{years}"}

    def record(self) -> dict:
        """On record, or since when, of what the claim is about, or the claim before it."""
        low = re.search(r"lowest|smallest|least", self.text)
        share = "share" in self.text or (self.before and "share_pct" in self.before["fact"])
        measure = "share_pct" if share and not re.search("deficit|export", self.text) else ""
        word = "lowest" if low else "highest"
        since = re.search(rf"since (?:({'|'.join(MONTHS)}) )?({YEAR})", self.text)
        if years := re.search(r"in (?:the last |at least )?(\w+) years", self.text):
            n = NUMBERS.get(years[1]) or int(years[1])
            fact = self.id(measure, test=f"is_{word}") + f" among {n} years"
            return {"fact": fact, "printed": "true"}
        if since and self.row["printed"] in ("true", True):
            printed = since[2]
            if since[1]:
                printed = f"{since[2]}-{MONTHS.index(since[1]) + 1:02}"
            elif self.window[0] in ("month", "trailing12"):
                printed = f"{since[2]}-01..{since[2]}-12"
            return {"fact": self.id(measure, test=f"{word}_since"), "printed": printed}
        return {"fact": self.id(measure, test=f"is_{word}"), "printed": str(self.row["printed"]).lower()}

    def partners_list(self) -> dict:
        """All members of a group but some."""
        rest = [resolve(name.strip()).code for name in re.findall(r"[A-Z]\w+", self.row["text"])[1:]]
        group = resolve(self.row["partner"]).code
        codes = [code for code in members(group, self.row["published"]) if code not in rest]
        self.side = "deficit"
        return {
            "fact": f"{self.id(test='partners')} among {group}",
            "printed": [resolve(code).iso3 for code in codes],
        }

    def change(self) -> dict:
        """A change in percent or dollars, on a year, a month, a quarter or several years."""
        kind, text = self.row["kind"], self.text
        measure = "change_usd" if self.row["unit"] == "USD" else "change_pct"
        monthly = self.window[0] == "month" and re.search(rf" on (?:{'|'.join(MONTHS)})$", text)
        base = "before" if "before" in kind or monthly else self.base()
        reduced = kind == "change of the deficit in percent" or measure == "change_usd"
        flip = self.side == "deficit" and reduced
        fact = self.id(measure, base=base)
        return {"fact": fact, "printed": self.money(flip=flip, words=True)}

    def base(self) -> str:
        """The base of a change over several years, as said."""
        text, (word, period) = self.text, self.window
        if self.row["kind"] == "custom window" and (
            years := re.search(rf"(?:third|over the ({'|'.join(NUMBERS)})) year", text)
        ):
            n = NUMBERS.get(years[1] or "three")
            ends = [str(pd.Period(end, "M") - 12 * n) for end in period.split("..")]
            return "..".join(ends)
        if self.row["kind"] != "change over several years":
            return ""
        found = re.findall(YEAR, text)
        year = min(found, key=int)
        release = pd.Period(self.row["release"], "M")
        if word == "ytd":
            last = pd.Period(period, "M") if period else release
            return f"{year}-01..{year}-{last.month:02}"
        if word == "month":
            return f"{year}-{release.month:02}"
        return year


def row_is_foreign(row: dict) -> bool:
    """Figures of other countries' statistics."""
    return row["basis"] == "F" or row["kind"] == "foreign statistics"


def scaled(number: str, rounding: str) -> str:
    """A figure in million as people print it, with the digits that were printed."""
    millions = float(number.split()[0])
    step = float(rounding.split()[0]) if rounding and rounding[0].isdigit() else 0.1
    if step >= 10 and millions >= 1000:
        digits = max(0, 3 - len(str(int(step))) + 1)
        return f"${millions / 1000:,.{digits}f} billion"
    digits = len(f"{step:g}".partition(".")[2])
    return f"${millions:,.{digits}f} million"


def document(rows: pd.DataFrame) -> tuple[str, list[dict | None]]:
    """A claims file of one document's rows, as text, and what became of each row."""
    found = convert(rows)
    first = rows.iloc[0]
    who = rows["partner"].mode().iloc[0]
    head = {
        "id": first["doc"],
        "publisher": first["publisher"],
        "address": first["url"],
        "published": first["published"],
        "release": first["release"],
        "partner": who,
    }
    lines = [f"{name}: {text(value)}" for name, value in head.items()] + ["claims:"]
    for (_, row), claim in zip(rows.iterrows(), found, strict=True):
        if claim is None:
            continue
        number = row["claim"].rpartition(".")[2]
        id = {} if int(number) == len(lines) - len(head) else {"id": f"{first['doc']}.{number}"}
        entry = id | {"claim": claim["claim"], "fact": claim["fact"]}
        printed = claim["printed"]
        entry["printed"] = printed
        if row["unit"] in ("USD", "percent", "ratio") and not same_rounding(printed, row):
            entry["rounding"] = row["rounding"]
        if claim["partners"] != [who]:
            entry["partner"] = "+".join(claim["partners"])
        if isinstance(printed, list):
            entry["match"] = "includes"
        lines.append("  - {" + ", ".join(f"{name}: {text(value)}" for name, value in entry.items()) + "}")
    return "\n".join(lines) + "\n", found


def same_rounding(printed, row) -> bool:
    """Whether the last digit printed is the rounding that the row tells."""
    from tradelib.studies.printed import read

    if not isinstance(printed, str):
        return True
    told = str(row["rounding"])
    number = float(told.split()[0]) * (1e6 if "million" in told else 1)
    return abs(read(printed, row["unit"]).rounding - number) < 1e-6 * number


def text(value) -> str:
    """A value of YAML in one line."""
    if isinstance(value, list):
        return "[" + ", ".join(value) + "]"
    plain = str(value)
    risky = re.search(r"[,{}\[\]]|: | #|^['\"@&*!|>%`?~-]|:$", plain) or plain != plain.strip()
    return yaml.safe_dump(plain, width=10_000, default_style="'").strip() if risky else plain
