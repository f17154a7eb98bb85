"""Partners: what a user may type, what the files mean by a code, whose trade a group row holds."""

import io
import re
import zipfile
from datetime import date, datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tradelib as tl
from tradelib.errors import TradelibError
from tradelib.partners import (
    API_GROUPS,
    DATA,
    SEASONAL_GROUPS,
    PartnerError,
    all_partners,
    countries,
    country_set,
    from_api_code,
    from_area_name,
    from_seasonal_code,
    members,
    partner,
    resolve,
    summed_groups,
)
from tradelib.runs.plan import expand

TABLE = all_partners()
CURRENT = TABLE[TABLE["kind"] == "country"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
COPIES = [
    "country_2012-02-10.csv",
    "country_2017-01-06.csv",
    "country_2018-10-05.xlsx",
    "country_2020-10-06.xlsx",
    "country_2023-03-08.xlsx",
    "country_2024-10-08.xlsx",
    "country_2025-04-03.csv",
]
LATEST = COPIES[-1]
KINDS = {"country", "former", "other", "group", "world", "product", "domestic"}


def spelling(text):
    return re.sub("[^a-z0-9]", "", text.casefold())


# --- the table ----------------------------------------------------------------------------------


def test_the_table_is_sorted_has_one_row_per_code_and_only_known_kinds():
    codes = TABLE["code"].tolist()
    assert codes == sorted(set(codes))
    assert set(TABLE["kind"]) == KINDS
    assert TABLE[["code", "name", "prose", "kind", "aliases"]].notna().all(axis=None)


@pytest.mark.parametrize("column", ["name", "prose"])
def test_names_tell_all_rows_apart(column):
    assert not TABLE[column].str.casefold().duplicated().any()


def test_slugs_are_distinct_and_fit_for_file_names():
    slugs = [partner(code).slug for code in TABLE["code"]]
    assert len(set(slugs)) == len(slugs)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


def test_namibias_na_is_a_code_and_not_a_missing_value():
    assert partner("7920").iso2 == "NA"
    assert resolve("NA").name == "Namibia"
    assert TABLE.loc[TABLE["code"] == "7920", "iso2"].item() == "NA"


def test_every_country_has_both_iso_codes_except_the_two_palestinian_areas():
    lacking = CURRENT[CURRENT["iso2"].isna() | CURRENT["iso3"].isna()]
    assert lacking["code"].tolist() == ["5082", "5083"]  # both are PSE, so PSE alone is ambiguous
    for column, length in (("iso2", 2), ("iso3", 3)):
        known = CURRENT[column].dropna()
        assert not known.duplicated().any()
        assert known.str.fullmatch(f"[A-Z]{{{length}}}").all()


@pytest.mark.parametrize(
    ("code", "iso3"),
    [
        ("4803", "XKX"),
        ("4610", "SUN"),
        ("4350", "CSK"),
        ("4790", "YUG"),
        ("4799", "SCG"),
        ("2771", "ANT"),
        ("5660", "MAC"),
        ("4850", "ROU"),
        ("5601", "TLS"),
    ],
)
def test_unusual_iso3_codes(code, iso3):
    assert partner(code).iso3 == iso3
    assert resolve(iso3).code == code


def test_no_alias_is_shared_or_plainly_ambiguous():
    owners = {}
    for row in TABLE.itertuples():
        for alias in filter(None, row.aliases.split("|")):
            assert owners.setdefault(spelling(alias), row.code) == row.code, alias
    assert not {"korea", "congo"} & set(owners)


def test_an_alias_is_never_another_rows_name_or_code():
    own = {}
    for row in TABLE.itertuples():
        for text in (row.name, row.prose.removeprefix("the "), row.code):
            assert own.setdefault(spelling(text), row.code) == row.code, text
    current = TABLE[TABLE["kind"] != "former"]
    iso = {spelling(x): r.code for r in current.itertuples() for x in (r.iso2, r.iso3) if pd.notna(x)}
    for row in TABLE.itertuples():
        for alias in filter(None, row.aliases.split("|")):
            assert own.get(spelling(alias), row.code) == row.code, alias
            assert iso.get(spelling(alias), row.code) == row.code, alias


def test_a_copy_is_handed_out_so_that_nobody_can_spoil_the_table():
    mine = all_partners()
    mine.loc[0, "name"] = "spoilt"
    assert "spoilt" not in set(all_partners()["name"])


def test_only_countries_may_be_ranked():
    assert country_set() == set(countries()) == set(CURRENT["code"])
    assert not country_set() & {"0003", "0015", "0007", "1000", "9030", "4610", "8220", "8500", "REST"}


# --- resolve ------------------------------------------------------------------------------------


def scrambled(draw, text):
    """The text in any case, any accents gone or kept, with stray blanks around it."""
    flips = draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
    mixed = "".join(c.upper() if flip else c.lower() for c, flip in zip(text, flips, strict=True))
    return draw(st.sampled_from(["", " "])) + mixed + draw(st.sampled_from(["", "  "]))


@st.composite
def typed_country(draw):
    """A current country's row and one of its spellings as a user may type it."""
    row = draw(st.sampled_from(CURRENT.to_dict("records")))
    texts = [row["code"], row["name"], row["prose"], row["iso2"], row["iso3"], *row["aliases"].split("|")]
    return row["code"], scrambled(draw, draw(st.sampled_from([t for t in texts if t and pd.notna(t)])))


@settings(deadline=None)
@given(typed_country())
def test_every_spelling_of_a_current_country_in_any_case_resolves_to_it(typed):
    code, text = typed
    assert resolve(text).code == code


def test_every_code_name_and_iso3_of_every_current_country_resolves_to_itself():
    for row in CURRENT.itertuples():
        for text in (row.code, int(row.code), row.name, row.iso2, row.iso3):
            if pd.notna(text):
                assert resolve(text).code == row.code, text


@settings(deadline=None)
@given(st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.none()))
def test_whatever_is_typed_gives_a_partner_or_an_error_in_words(text):
    try:
        assert resolve(text).kind not in ("domestic", "product")
    except PartnerError as error:
        assert "tradelib partners" in str(error) or "ambiguous" in str(error)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("South Korea", "5800"),
        ("korea, south", "5800"),
        ("Korea (South)", "5800"),
        ("Republic of Korea", "5800"),
        ("North Korea", "5790"),
        ("UK", "4120"),
        ("U.K.", "4120"),
        ("Great Britain", "4120"),
        ("Britain", "4120"),
        ("UAE", "5200"),
        ("Myanmar", "5460"),
        ("Czechia", "4351"),
        ("Türkiye", "4890"),
        ("turkiye", "4890"),
        ("Holland", "4210"),
        ("the Netherlands", "4210"),
        ("Côte d'Ivoire", "7480"),
        ("Cote dIvoire", "7480"),
        ("Cote d\u2019Ivoire", "7480"),
        ("ivory coast", "7480"),
        ("Swaziland", "7950"),
        ("EU", "0003"),
        ("EU27", "0003"),
        ("EU-27", "0003"),
        ("Cape Verde", "7643"),
        ("North Macedonia", "4794"),
        ("Timor-Leste", "5601"),
        ("East Timor", "5601"),
        ("Russian Federation", "4621"),
        ("Viet Nam", "5520"),
        ("PRC", "5700"),
        ("Mainland China", "5700"),
        ("DRC", "7660"),
        ("Trinidad & Tobago", "2740"),
        ("St. Lucia", "2487"),
        ("Curaçao", "2777"),
        ("Yemen", "5210"),
        ("world", "0015"),
        ("15", "0015"),
        (15, "0015"),
        (5800, "5800"),
        ("XK", "4803"),
        ("KV", "4803"),
    ],
)
def test_common_spellings(text, code):
    assert resolve(text).code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Niger", "7510"),
        ("Guinea", "7460"),
        ("China", "5700"),
        ("Dominica", "2486"),
        ("Samoa", "6150"),
        ("Ireland", "4190"),
        ("Oman", "5230"),
        ("Mali", "7450"),
    ],
)
def test_an_exact_name_wins_over_the_longer_ones_that_contain_it(text, code):
    assert resolve(text).code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sudan", "7321"),
        ("SD", "7321"),
        ("SDN", "7321"),
        ("Israel", "5081"),
        ("ISR", "5081"),
        ("Ethiopia", "7749"),
        ("ETH", "7749"),
        ("Serbia", "4801"),
        ("SRB", "4801"),
        ("Arabia", "5170"),  # and not the Iraq-Saudi Arabia Neutral Zone
    ],
)
def test_a_current_partner_wins_over_a_former_one(text, code):
    assert resolve(text).code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Falkland", "3720"),
        ("Brazzaville", "7630"),
        ("Kinshasa", "7660"),
        ("Trinidad", "2740"),
        ("Herzegovina", "4793"),
        ("Soviet", "4610"),
        ("Czech", "4351"),
        ("Papua", "6040"),
    ],
)
def test_a_word_of_only_one_name_is_enough(text, code):
    assert resolve(text).code == code


@pytest.mark.parametrize(
    ("text", "candidates"),
    [
        ("KOREA", ["5790  Korea, North  PRK", "5800  Korea, South  KOR"]),
        ("Congo", ["7630  Congo (Brazzaville)  COG", "7660  Congo (Kinshasa)  COD"]),
        ("Virgin Islands", ["2482  British Virgin Islands  VGB", "9110  Virgin Islands of the"]),
        ("PSE", ["5082  Gaza Strip", "5083  West Bank"]),
        ("CS", ["4350  Czechoslovakia  CSK", "4799  Serbia and Montenegro  SCG"]),
    ],
)
def test_an_ambiguous_name_is_refused_with_its_candidates(text, candidates):
    with pytest.raises(PartnerError, match="ambiguous") as caught:
        resolve(text)
    for candidate in candidates:
        assert candidate in str(caught.value)


def test_a_long_list_of_candidates_is_cut_at_eight():
    with pytest.raises(PartnerError, match=r"and \d+ more") as caught:
        resolve("Islands")
    assert len(re.findall("^    [0-9A-Z]{4}  ", str(caught.value), re.MULTILINE)) == 8


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("Korae", "5800  Korea, South  KOR"),
        ("Vietnm", "5520  Vietnam  VNM"),
        ("Germny", "4280  Germany  DEU"),
    ],
)
def test_a_misspelt_name_is_refused_with_near_matches(text, near):
    with pytest.raises(PartnerError, match="matches no partner") as caught:
        resolve(text)
    assert near in str(caught.value)
    assert "`tradelib partners`" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["XYZ", "9999", "58000", "58.00", "5800.0", "", "-", "the", None, float("nan")]
)
def test_an_unknown_text_is_refused_and_the_way_on_is_shown(text):
    with pytest.raises(PartnerError, match="`tradelib partners`"):
        resolve(text)


@pytest.mark.parametrize("text", ["1000", "US", "USA", "United States", "Puerto Rico", "GU", "VIR"])
def test_the_united_states_and_its_territories_are_no_partners(text):
    with pytest.raises(PartnerError, match=r"part of the U\.S\. customs statistics"):
        resolve(text)


@pytest.mark.parametrize("text", ["0007", 7, "ATP", "Advanced Technology Products"])
def test_advanced_technology_products_are_no_place(text):
    with pytest.raises(PartnerError, match="not a place"):
        resolve(text)


def test_an_exact_lookup_takes_any_kind_but_only_canonical_codes():
    assert partner("0007").kind == "product"
    assert partner("0003").is_group and not partner("5800").is_group
    with pytest.raises(PartnerError, match="'KOR' is not a partner code"):
        partner("KOR")
    assert issubclass(PartnerError, TradelibError)


# --- translations -------------------------------------------------------------------------------


def test_every_translation_ends_in_a_canonical_code():
    assert set(API_GROUPS.values()) | set(SEASONAL_GROUPS.values()) <= set(TABLE["code"])


def test_the_same_number_means_other_groups_in_other_files():
    assert (from_api_code("0020"), from_seasonal_code("20")) == ("USMCA", "REST")
    assert (from_api_code("0022"), partner("0022").name) == ("OECD", "USMCA with Canada (Consump)")


@pytest.mark.parametrize("code", ["", "-", "TOTAL"])
def test_the_api_has_had_three_codes_for_all_countries(code):
    assert from_api_code(code) == "0015"


@pytest.mark.parametrize("code", ["0010", "0015", "8XXX", "9999", "KOR", "580"])
def test_an_unknown_api_code_is_named(code):
    with pytest.raises(PartnerError, match=f"'{code}' is not a known CTY_CODE"):
        from_api_code(code)


@pytest.mark.parametrize("code", ["2", "15", "9999", ""])
def test_an_unknown_seasonal_code_is_named(code):
    with pytest.raises(PartnerError, match=f"'{code}' is not a known cty_code"):
        from_seasonal_code(code)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Korea, South", "5800"),
        ("South/\nCentral America", "0009"),
        ("All other countries", "REST"),
        ("CAFTA-DR", "0017"),
        ("European Union", "0003"),
        ("Euro area", "EURO"),
        ("OPEC", "0001"),
        ("TOTAL", "0015"),
        ("Mexico**", "2010"),
        ("Unidentified Countries (2)", "8220"),
        ("Congo (Brazzaville)", "7630"),
        ("NATO Allies", "NATO"),
    ],
)
def test_area_names_of_bea_and_the_ft900(name, code):
    assert from_area_name(name) == code


@pytest.mark.parametrize("name", ["Korea", "Congo", "KR", "5800", "NA", "", "Other", "Falkland", "n.a."])
def test_an_area_name_must_be_given_in_full(name):
    with pytest.raises(PartnerError, match="is not a known area name"):
        from_area_name(name)


# --- members ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "on", "number"),
    [
        ("0003", "1957-12-31", 0),
        ("0003", "1972-12-31", 6),
        ("0003", "1995-01-01", 15),
        ("0003", "2004-05-01", 25),
        ("0003", "2013-07-01", 28),
        ("0003", "2020-01-31", 28),
        ("0003", "2020-02-01", 27),
        ("EURO", "1999-01-01", 11),
        ("EURO", "2022-12-31", 19),
        ("EURO", "2025-12-31", 20),
        ("EURO", "2026-01-01", 21),
        ("ASEAN", "2025-10-25", 10),
        ("ASEAN", "2025-10-26", 11),
        ("USMCA", "2018-07-31", 2),
        ("0014", "1992-01-01", 14),
        ("0017", "2009-01-01", 6),
        ("0001", "2018-12-31", 15),
        ("0001", "2019-01-01", 14),
        ("0001", "2020-01-01", 13),
        ("0001", "2024-01-01", 12),
    ],
)
def test_the_number_of_members_changes_on_the_day(group, on, number):
    assert len(members(group, on)) == number


def test_members_who_left_opec_and_came_back():
    indonesia, gabon, ecuador = "5600", "7550", "3310"
    for on, inside in {
        "1992-12-31": {indonesia, gabon, ecuador},
        "2000-06-30": {indonesia},
        "2008-06-30": {indonesia, ecuador},
        "2015-06-30": {ecuador},
        "2016-10-31": {indonesia, gabon, ecuador},
        "2017-06-30": {gabon, ecuador},
        "2020-06-30": {gabon},
    }.items():
        assert {indonesia, gabon, ecuador} & set(members("0001", on)) == inside, on


def test_a_day_may_be_a_date_a_time_or_a_text():
    days = ["2020-02-01", date(2020, 2, 1), datetime(2020, 2, 1, 8, 30), pd.Timestamp("2020-02-01")]
    assert all(len(members("0003", day)) == 27 for day in days)


@pytest.mark.parametrize("on", ["2020-02", "yesterday", 2020, None])
def test_what_is_not_a_day_is_refused(on):
    with pytest.raises(PartnerError, match="is not a day"):
        members("0003", on)


def test_a_group_without_a_list_is_refused_and_those_with_one_are_shown():
    with pytest.raises(PartnerError, match=r"(?s)'5800'.*0003 \(European Union\)"):
        members("5800", "2020-01-01")


def test_group_members_are_countries_and_their_spells_do_not_overlap():
    rows = pd.read_csv(DATA / "groups.csv", dtype="str", keep_default_na=False)
    assert set(rows["code"]) <= country_set()
    assert set(rows["group"]) <= set(TABLE.loc[TABLE["kind"] == "group", "code"])
    assert rows["source"].ne("").all()
    for _, spells in rows.sort_values("joined").groupby(["group", "code"]):
        days = [day for spell in spells[["joined", "left"]].itertuples(index=False) for day in spell]
        assert all(a < b for a, b in pairwise(days) if b)


# --- the originals ------------------------------------------------------------------------------


@cache
def country_copy(path: Path) -> pd.DataFrame:
    """One copy of country.xlsx: code, name, year, then IJAN ... EDEC in $ million."""
    if path.suffix == ".xlsx":
        raw = pd.read_excel(path, dtype="object", engine="calamine")
    else:
        raw = pd.read_csv(path, dtype="object", keep_default_na=False)
    codes = raw["CTY_CODE"].astype("str").str.removesuffix(".0").str.zfill(4)
    frame = pd.DataFrame({"code": codes, "name": raw["CTYNAME"].str.strip()})
    frame["year"] = pd.to_numeric(raw["year"], errors="coerce").astype("Int64")
    for column in [flow + month for flow in "IE" for month in MONTHS]:
        frame[column] = pd.to_numeric(raw[column].astype("str").str.replace(",", ""), errors="coerce").fillna(
            0.0
        )
    return frame


def copy_of(originals, name=LATEST):
    return country_copy(originals / "census" / name)


@cache
def monthly(path: Path) -> pd.Series:
    """(code, flow, month) -> $ million of one copy, zeros left out."""
    frame = country_copy(path).dropna(subset="year").drop(columns="name")
    long = frame.melt(["code", "year"], var_name="column", value_name="value")
    long["month"] = [
        f"{year}-{MONTHS.index(column[1:]) + 1:02d}"
        for year, column in zip(long["year"], long["column"], strict=True)
    ]
    long["flow"] = long["column"].str[0]
    return long[long["value"] != 0].set_index(["code", "flow", "month"])["value"].sort_index()


@cache
def api_years(census: Path) -> pd.Series:
    """(code, flow, year) -> whole dollars of the API replies."""
    parts = []
    for flow, value in (("exports", "ALL_VAL_MO"), ("imports", "GEN_VAL_MO")):
        reply = pd.read_parquet(census / f"api_{flow}_total_2025-10-18.parquet")
        reply = reply.assign(flow=flow, usd=reply[value].astype("int64"), year=reply["YEAR"].astype(int))
        parts.append(reply.groupby(["CTY_CODE", "flow", "year"])["usd"].sum())
    return pd.concat(parts)


def api_names(originals):
    replies = [
        pd.read_parquet(originals / "census" / f"api_{flow}_total_2025-10-18.parquet")
        for flow in ("exports", "imports")
    ]
    return pd.concat(replies)[["CTY_CODE", "CTY_NAME"]].drop_duplicates()


def schedule_c(originals):
    text = (originals / "reference" / "schedule_c_2021-01-27.txt").read_text()
    found = re.findall(r"^(\d{4}) .*?\|\s+(.{50}).*?([A-Z]{2})$", text, re.MULTILINE)
    return {code: (name.strip(" |"), iso2) for code, name, iso2 in found}


def test_schedule_c_is_complete_and_its_iso_codes_are_ours(originals):
    listed = schedule_c(originals)
    assert len(listed) == 240
    assert {code: partner(code).iso2 for code in listed} == {code: iso2 for code, (_, iso2) in listed.items()}
    assert country_set() == {code for code in listed if partner(code).kind != "domestic"}


@pytest.mark.parametrize("name", COPIES)
def test_every_code_of_every_copy_of_country_xlsx_is_known(originals, name):
    assert set(copy_of(originals, name)["code"]) <= set(TABLE["code"])


def test_every_name_ever_printed_leads_to_its_code(originals):
    printed = pd.concat([copy_of(originals, name)[["code", "name"]] for name in COPIES]).drop_duplicates()
    astray = {
        (row.code, row.name, resolve(row.name).code) for row in printed.itertuples() if row.code != "0007"
    }
    assert {(code, name) for code, name, found in astray if code != found} == {
        ("4802", "Serbia"),
        ("5080", "Israel"),
        ("5220", "Yemen"),
        ("7320", "Sudan"),
        ("7740", "Ethiopia"),
    }  # codes no longer used whose name a current code has taken over


def test_every_code_and_name_of_the_api_is_known(originals):
    for code, name in api_names(originals).itertuples(index=False):
        canonical = from_api_code(code)
        if pd.isna(name):
            assert canonical == "8220"  # unidentified countries: in the exports reply without a name
        elif name == "CONGO":
            assert canonical == "7630"
        elif code == "1XXX":
            assert name == "NORTH AMERICA" and from_area_name(name) == "0010"
        else:
            assert from_area_name(name) == canonical, (code, name)


def test_every_code_of_the_seasonal_table_has_the_printed_name(originals):
    table = pd.read_csv(originals / "census" / "ctyseasonal_2025-04-03.csv", dtype="str")
    for code, name in table[["cty_code", "cty_desc"]].drop_duplicates().itertuples(index=False):
        assert from_seasonal_code(code) == from_area_name(name)


def test_every_area_of_bea_and_of_exhibit_4_is_known(originals):
    bea = pd.read_excel(
        originals / "bea" / "trad-geo-time-series_2025-03-06.xlsx",
        sheet_name="Table 1",
        header=5,
        engine="calamine",
    )
    areas = [name for name in bea.columns[1:] if not name.startswith("Unnamed")]
    assert len({from_area_name(name) for name in areas}) == len(areas) == 27
    with zipfile.ZipFile(originals / "ft900" / "ft900xlsx_2108.zip") as archive:
        sheet = pd.read_excel(io.BytesIO(archive.read("exh4s.xlsx")), header=None, engine="calamine")
    labels = sheet[0].dropna().astype("str")
    first, notes = labels[labels == "TOTAL"].index[0], labels[labels.str.startswith("* ")].index[0]
    labels = labels.loc[first : notes - 1]
    unknown = {label for label in labels if not known_area(label)}
    # two regions that no other file has, and the residual line
    assert unknown == {"Asia - South", "Asia Near East", "Timing adjustment"}


def known_area(name):
    try:
        return bool(from_area_name(name))
    except PartnerError:
        return False


def test_first_and_last_years_are_those_with_trade_in_the_newest_copy_that_has_the_code(originals):
    expected = {}
    for name in COPIES:
        frame = copy_of(originals, name).dropna(subset="year")
        traded = frame[frame[[flow + month for flow in "IE" for month in MONTHS]].ne(0).any(axis=1)]
        expected |= {code: (years.min(), years.max()) for code, years in traded.groupby("code")["year"]}
    for code, (first, last) in expected.items():
        one = partner(code)
        still = one.kind == "country" or last == 2025
        assert (one.first_year, one.last_year) == (first, None if still else last), code


# What the doubtful codes are, by the data: (first, last) month with trade, imports or exports.
@pytest.mark.parametrize(
    ("code", "first", "last", "successors"),
    [
        ("4610", "1985-01", "1992-12", ["4621"]),  # USSR; overlaps with Russia and the others in 1992
        ("4350", "1992-01", "1992-12", ["4351", "4359"]),  # Czechoslovakia; no rows before 1992
        ("4790", "1985-01", "1992-06", ["4791", "4792", "4793"]),  # Yugoslavia
        ("4799", "1992-04", "2006-12", ["4802", "4804"]),  # Serbia and Montenegro
        ("4802", "2007-01", "2008-12", ["4801", "4803"]),  # Serbia with Kosovo
        ("7320", "1992-01", "2011-07", ["7321", "7323"]),  # Sudan with South Sudan
        ("7740", "1992-01", "1993-06", ["7749"]),  # Ethiopia with Eritrea; exports overlap in 1993
        ("2771", "1985-01", "2011-04", ["2774", "2777"]),  # Netherlands Antilles; Aruba apart
        ("7370", "1992-01", "2020-12", []),  # Western Sahara; not in Schedule C of January 2021
    ],
)
def test_former_codes_end_where_their_successors_begin(originals, code, first, last, successors):
    values = monthly(originals / "census" / LATEST)
    months = values.loc[code].index.get_level_values("month")
    assert (months.min(), months.max()) == (first, last)
    assert partner(code).kind == "former"
    for successor in successors:
        start = values.loc[successor].index.get_level_values("month").min()
        assert pd.Period(start) <= pd.Period(last) + 1, successor


def test_codes_5080_and_5160_have_rows_and_no_trade_and_israel_is_5081_throughout(originals):
    values = monthly(originals / "census" / LATEST)
    known = set(values.index.get_level_values("code"))
    assert {"5080", "5160"} <= set(copy_of(originals)["code"]) and not {"5080", "5160"} & known
    assert values.loc["5081", "E"].index[0] == "1985-01"
    assert partner("5080").first_year is None and partner("5080").kind == "former"


def test_code_5220_is_one_row_without_a_year_in_the_three_oldest_copies(originals):
    for name in COPIES:
        rows = copy_of(originals, name).query("code == '5220'")
        assert len(rows) == (1 if name in COPIES[:3] else 0)
        assert rows["year"].isna().all()
    assert copy_of(originals).query("code == '5210'")["year"].min() == 1992


@pytest.mark.parametrize(
    ("api", "canonical"),
    [
        ("4XXX", "0012"),
        ("5XXX", "0016"),
        ("6XXX", "0018"),
        ("7XXX", "0013"),
        ("0014", "0014"),
        ("0017", "0017"),
        ("0020", "0010"),
        ("-", "0015"),
    ],
)
def test_api_groups_are_those_of_country_xlsx_to_the_dollar_until_the_later_revisions(
    originals, api, canonical
):
    api_usd = api_years(originals / "census").loc[api]
    table = monthly(originals / "census" / LATEST).loc[canonical]
    for (flow, year), usd in api_usd.items():
        million = table.loc[flow[0].upper()].filter(like=str(year)).sum()
        if year <= 2021:
            assert usd == pytest.approx(1e6 * million, abs=1)
        else:  # the copy is of April 2025, the reply was saved after the June 2025 revision
            assert usd == pytest.approx(1e6 * million, rel=0.01)


def test_api_continents_are_the_codes_by_first_digit_and_mexico_is_north_american(originals):
    usd = api_years(originals / "census").unstack("CTY_CODE").fillna(0)
    singles = [code for code in usd if code.isdigit() and code >= "1000"]
    for digit in "1234567":
        inside = [code for code in singles if code[0] == digit and code != "2010"]
        inside += ["2010"] if digit == "1" else []
        assert usd[inside].sum(axis=1).equals(usd[f"{digit}XXX"]), digit
    assert usd[singles].sum(axis=1).equals(usd["-"])


def test_api_north_america_adds_greenland_and_st_pierre_to_canada_and_mexico(originals):
    usd = api_years(originals / "census").unstack("CTY_CODE").fillna(0)
    assert (usd["1XXX"] - usd["0020"]).equals(usd["1010"] + usd["1610"])
    assert from_api_code("1XXX") == "1XXX"  # so it is not 0010


def test_central_and_south_america_of_the_api_make_up_0009(originals):
    usd = api_years(originals / "census").unstack("CTY_CODE").fillna(0)
    table = monthly(originals / "census" / LATEST).loc["0009"]
    for flow, year in [("exports", 2013), ("imports", 2018), ("exports", 2021)]:
        million = table.loc[flow[0].upper()].filter(like=str(year)).sum()
        assert usd.loc[(flow, year), ["2XXX", "3XXX"]].sum() == pytest.approx(1e6 * million, abs=1)


def api_composition_day(year):
    """The API row of a year has the members of two years later; 2013 and 2014 have their own."""
    return f"{year}-12-31" if year < 2015 else min(f"{year + 2}-12-31", "2025-10-18")


@pytest.mark.parametrize("api", ["0001", "0003", "0014", "0017", "0020", "0025", "0027"])
def test_api_group_rows_hold_the_members_of_two_years_later(originals, api):
    usd = api_years(originals / "census")
    printed = usd.loc[api]
    assert printed.index.get_level_values("year").max() == (2018 if api == "0001" else 2024)
    for (flow, year), value in printed.items():
        inside = members(from_api_code(api), api_composition_day(year))
        assert sum(usd.get((code, flow, year), 0) for code in inside) == value, (flow, year)


def test_neither_the_members_of_the_time_nor_todays_explain_the_api_rows(originals):
    usd = api_years(originals / "census").loc[:, "exports"]
    kingdom, union = "4120", "0003"
    own = sum(usd[code, 2018] for code in members(union, "2018-12-31"))
    assert own - usd[union, 2018] == usd[kingdom, 2018]  # left in 2020, gone from 2018
    today = sum(usd[code, 2017] for code in members(union, "2025-01-01"))
    assert usd[union, 2017] - today == usd[kingdom, 2017]  # but still in 2017
    croatia, euro = "4791", "0025"
    euro_then = sum(usd[code, 2021] for code in members("EURO", "2021-12-31"))
    assert usd[euro, 2021] - euro_then == usd[croatia, 2021]  # joined in 2023, in from 2021


def gaps(values, group, months, on):
    """Printed minus sum of members, $ million, by flow and month; `on` gives the day of a month."""
    found = {}
    for flow in "IE":
        for month in months:
            total = sum(values.get((code, flow, month), 0.0) for code in members(group, on(month)))
            found[flow, month] = values.get((group, flow, month), 0.0) - total
    return {key: gap for key, gap in found.items() if abs(gap) > 0.01}


def year_months(first, last):
    return [str(month) for month in pd.period_range(f"{first}-01", f"{last}-12", freq="M")]


@pytest.mark.parametrize(
    ("name", "group", "first", "last"),
    [
        (LATEST, "0003", 2007, 2024),
        (LATEST, "0010", 2003, 2024),
        (LATEST, "0014", 2003, 2024),
        (LATEST, "0017", 2009, 2024),
        ("country_2020-10-06.xlsx", "0001", 2009, 2015),
        ("country_2020-10-06.xlsx", "0001", 2017, 2019),
        ("country_2012-02-10.csv", "0008", 2003, 2011),
    ],
)
def test_past_years_of_country_xlsx_hold_the_members_of_their_31_december(
    originals, name, group, first, last
):
    values = monthly(originals / "census" / name)
    months = year_months(first, last)
    assert gaps(values, group, months, lambda month: f"{month[:4]}-12-31") == {}


def test_indonesia_stays_in_the_opec_of_all_2016_though_suspended_on_30_november(originals):
    values = monthly(originals / "census" / "country_2020-10-06.xlsx")
    found = gaps(values, "0001", year_months(2016, 2016), lambda month: "2016-12-31")
    assert len(found) == 24
    for (flow, month), gap in found.items():
        assert gap == pytest.approx(values["5600", flow, month], abs=0.01)


@pytest.mark.parametrize(
    ("name", "group", "months"),
    [
        ("country_2020-10-06.xlsx", "0003", year_months(2020, 2020)[:8]),  # the UK in January only
        ("country_2017-01-06.csv", "0001", year_months(2016, 2016)[:11]),  # Gabon from July on
        ("country_2018-10-05.xlsx", "0001", year_months(2018, 2018)[:8]),  # Congo from July on
    ],
)
def test_the_running_year_of_country_xlsx_holds_the_members_of_each_month(originals, name, group, months):
    values = monthly(originals / "census" / name)
    assert gaps(values, group, months, lambda month: f"{month}-01") == {}
    assert gaps(values, group, months, lambda month: f"{months[-1]}-01") != {}


def test_ecuador_stayed_in_the_opec_of_2020_until_may_five_months_after_leaving(originals):
    values = monthly(originals / "census" / "country_2020-10-06.xlsx")
    found = gaps(values, "0001", year_months(2020, 2020)[:8], lambda month: f"{month}-01")
    assert {month for _, month in found} == {f"2020-0{n}" for n in range(1, 6)}
    for (flow, month), gap in found.items():
        assert gap == pytest.approx(values["3310", flow, month], abs=0.01)


def test_the_cafta_dr_row_holds_all_six_from_2005_on_before_the_agreement_was_in_force(originals):
    values = monthly(originals / "census" / LATEST)
    assert members("0017", "2005-12-31") == []
    assert gaps(values, "0017", year_months(2005, 2008), lambda month: "2009-01-01") == {}


# --- a user's own groups --------------------------------------------------------------------------

FOUR = "group,code\nthe Visegrad Group,CZE\nthe Visegrad Group,Hungary\nthe Visegrad Group,4550\n"
FOUR += "the Visegrad Group,Slovakia\n"


SPELLS = "group,code,joined,left\n"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Write a file of groups, and have it in force."""

    def write(text: str) -> Path:
        path = tmp_path / "my_groups.csv"
        path.write_text(text, encoding="utf-8")
        monkeypatch.setenv("TRADELIB_GROUPS", str(path))
        return path

    return write


def test_a_group_of_ones_own_is_a_partner_like_any_and_never_a_country(own):
    own(FOUR)
    found = resolve("Visegrad Group")
    assert (found.code, found.name, found.prose) == ("VISEGRADGROUP", "Visegrad Group", "the Visegrad Group")
    assert found.is_group and found == resolve("visegradgroup") == partner("VISEGRADGROUP")
    assert members("Visegrad", "2018-09-05") == ["4351", "4359", "4370", "4550"]
    assert set(summed_groups()) == {"0001", "0003", "ASEAN", "USMCA", "EURO", "VISEGRADGROUP"}
    assert found.code not in country_set() and found.code in set(all_partners()["code"])
    assert all_partners()["code"].is_monotonic_increasing and all_partners()["kind"].notna().all()
    assert all_partners().dtypes.equals(TABLE.dtypes)


def test_without_the_file_the_group_is_gone(own, monkeypatch):
    own(FOUR)
    assert resolve("Visegrad").is_group
    monkeypatch.delenv("TRADELIB_GROUPS")
    with pytest.raises(PartnerError, match="'Visegrad' matches no partner"):
        resolve("Visegrad")
    assert all_partners().equals(TABLE)


def test_a_changed_file_is_read_again(own):
    own(FOUR)
    assert len(members("Visegrad", "2018-09-05")) == 4
    own(FOUR.replace("the Visegrad Group,Slovakia\n", ""))
    assert len(members("Visegrad", "2018-09-05")) == 3


def test_members_may_join_and_leave(own):
    own("group,code,joined,left\nTrio,FRA,,\nTrio,DEU,1990-10-03,\nTrio,GBR,1973-01-01,2020-01-31\n")
    assert members("Trio", "1980-01-01") == ["4120", "4279"]
    assert members("Trio", "2020-02-01") == ["4279", "4280"]


def test_a_group_of_ones_own_is_summed_balanced_briefed_swept_and_never_ranked(own):
    own(FOUR)
    goods = tl.load_goods(as_of="2018-10-05", partner="Visegrad Group", since="2017-01")
    parts = tl.load_goods(as_of="2018-10-05", partner=["CZE", "HUN", "POL", "SVK"], since="2017-01")
    july = pd.Period("2018-07", "M")
    for flow in ("exports", "imports"):
        total = goods[(goods["period"] == july) & (goods["flow"] == flow)]["value_usd"].item()
        assert total == parts[(parts["period"] == july) & (parts["flow"] == flow)]["value_usd"].sum() > 0
    sums = tl.window_sum(tl.balance(goods, partner="Visegrad Group"), tl.year_to_date(july))
    found = tl.brief("Visegrad Group", "2018-07", as_of="2018-10-05")
    assert found["goods.exports.ytd"].value == sums["exports_usd"].item()
    assert found["goods.balance.ytd"].value == sums["balance_usd"].item()
    codes, wrong = expand(["group:Visegrad Group"], tl.take("2018-07"))
    assert sorted(codes) == members("Visegrad Group", "2018-09-05") and not wrong
    with pytest.raises(TradelibError, match=r"the Visegrad Group.*a group is not compared with countries"):
        tl.rank(parts, ["Visegrad Group", "CZE"], through="2018-07")
    everyone = tl.take("2018-07", as_of="2018-10-05")
    assert "VISEGRADGROUP" not in everyone.goods_ranks["now"].index


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("group;code\nA;CZE\n", 1, "no column"),
        ("code\nCZE\n", 1, "no column group"),
        ("group,code\nTrio,CZE\nTrio,Koera\n", 3, "'Koera' matches no partner"),
        ("group,code\nTrio,CZE\n,HUN\n", 3, "'' is no name for a group"),
        ("group,code\n4711,CZE\n", 2, "'4711' is no name for a group"),
        ("group,code\nASEAN,CZE\n", 2, "'ASEAN' is ASEAN (ASEAN) already"),
        ("group,code\nKorea South,CZE\n", 2, "is Korea, South (5800) already"),
        ("group,code\nTrio,EU\n", 2, "European Union (0003) is itself a sum"),
        ("group,code\nTrio,world\n", 2, "is itself a sum"),
        ("group,code\nTrio,CZE\nTrio,4351\n", 3, "Czech Republic is in Trio already"),
        ("group,code,joined,left\nTrio,CZE,2004,\n", 2, "'2004' is not a day"),
        ("group,code,joined,left\nTrio,CZE,2004-02-30,\n", 2, "'2004-02-30' is not a day"),
        ("group,code,joined,left\nTrio,CZE,2004-05-01,2003-01-01\n", 2, "before it joined"),
        (
            "group,code,joined,left\nTrio,CZE,,2003-01-01\nTrio,CZE,2003-01-01,\n",
            3,
            "already, on the same days",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_with_file_and_line(own, text, line, words):
    path = own(text)
    with pytest.raises(PartnerError) as refused:
        resolve("Korea, South")
    assert f"{path}, line {line}: " in str(refused.value) and words in str(refused.value)


def test_a_file_that_is_not_there_or_no_text_is_told(own, monkeypatch):
    path = own("")
    path.write_bytes(b"group,code\nTrio,\xff\n")
    with pytest.raises(PartnerError, match="is not a CSV file in UTF-8"):
        resolve("KOR")
    monkeypatch.setenv("TRADELIB_GROUPS", str(path.parent / "none.csv"))
    with pytest.raises(
        PartnerError, match=r"TRADELIB_GROUPS names .*none.csv, which cannot be read: No such file"
    ):
        resolve("KOR")


def test_a_member_may_leave_and_come_back(own):
    own("group,code,joined,left\nTrio,CZE,,2003-01-01\nTrio,CZE,2005-01-01,\n")
    assert members("Trio", "2004-01-01") == [] and members("Trio", "2006-01-01") == ["4351"]


# --- small assertions about the rows --------------------------------------------------------------


def test_a_partner_knows_its_names_slug_and_kind():
    korea = partner("5800")
    told = korea.name, korea.prose, korea.slug, korea.kind, korea.is_group
    assert told == ("Korea, South", "South Korea", "korea-south", "country", False)
    assert partner("0003").prose == "the European Union" and "4610" not in country_set()


def test_codes_and_names_of_the_sources_are_translated():
    assert [from_api_code(code) for code in ("5800", "-", "0020", "5XXX")] == [
        "5800",
        "0015",
        "USMCA",
        "0016",
    ]
    assert [from_seasonal_code(code) for code in (5800, "3", "0020")] == ["5800", "0003", "REST"]
    names = ("Korea, South", "South/\nCentral America", "Israel*")
    assert [from_area_name(name) for name in names] == ["5800", "0009", "5081"]
