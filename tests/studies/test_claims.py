"""Claims files: read as they are meant, and refused with file, line and field."""

import random
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import tradelib as tl
from tradelib.cli.main import main
from tradelib.studies.claims import list_articles, load_article
from tradelib.studies.guess import guess

ROOT = Path(__file__).parents[2]
GOOD = """\
id: mine
title: A note
publisher: Me
published: 2018-10-05
release: 2018-07
partner: China
claims:
  - id: a
    claim: The goods deficit came to $222.6 billion
    unit: USD
    printed: $222.6 billion
    rounding: 0.1 billion
    fact: goods.deficit.ytd
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str):
        path = tmp_path / "mine.yaml"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


def test_a_file_of_ones_own_is_read(written):
    article = load_article(written(GOOD))
    (claim,) = article.claims
    assert (article.partner.iso3, article.release, str(article.published)) == ("CHN", "2018-07", "2018-10-05")
    printed = claim.printed
    assert (printed.value, printed.rounding, claim.shown) == (222.6e9, 1e8, "$222.6 billion")


def test_what_a_file_leaves_out_is_known(written):
    """Release, id, title, unit and rounding: by the day, the place, the partner, the fact and the digits."""
    short = GOOD.replace("title: A note\n", "").replace("release: 2018-07\n", "")
    short = short.replace("  - id: a\n    claim", "  - claim").replace("    unit: USD\n", "")
    short = short.replace("    rounding: 0.1 billion\n", "")
    article = load_article(written(short))
    (claim,) = article.claims
    assert (article.release, claim.id, article.title) == ("2018-08", "mine.1", "On trade with China")
    assert (claim.printed.unit, claim.printed.rounding) == ("USD", 1e8)


def test_several_partners_are_added(written):
    (claim,) = load_article(written(GOOD + "    partner: CAN+MEX\n")).claims
    assert [one.iso3 for one in claim.partners] == ["CAN", "MEX"]


def test_the_bundled_file_holds_all_thirteen_claims_of_the_note():
    assert "kei-2018-09-05" in list_articles()
    own = [claim for claim in load_article("kei-2018-09-05").claims if not claim.also]
    assert [claim.id for claim in own] == [f"kei.{n}" for n in range(1, 14)]
    printed = {claim.id: claim.printed.value for claim in own}
    assert printed["kei.1"] == 73 and printed["kei.3"] == 355e6 and printed["kei.4"] == 6.4e9
    assert printed["kei.5"] == 11.1 and printed["kei.6"] == 2.7e9 and printed["kei.7"] == -200e6
    assert printed["kei.8"] == 9 and printed["kei.11"] == 2.4 and printed["kei.13"] is True
    assert printed["kei.10"] == {"5800", "5330"}
    assert printed["kei.2"].start == pd.Period("2016Q2") and printed["kei.2"].end == pd.Period("2016Q3")


def test_a_country_whose_code_yaml_takes_for_a_truth_is_a_country(written):
    """NO is Norway, not false."""
    assert load_article(written(GOOD.replace("partner: China", "partner: NO"))).partner.iso3 == "NOR"


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("partner: China", "partner: Korea", "mine.yaml:6: partner:", "KOR"),
        ("release: 2018-07", "release: 2018-13", "mine.yaml:5: release:", "not a month"),
        ("published: 2018-10-05", "published: soon", "mine.yaml:4: published:", "not a date"),
        ("published: 2018-10-05", "published: 2018-09-01", "mine.yaml:1: published:", "2018-09-05"),
        ("published: 2018-10-05", "published: 2099-10-05", "mine.yaml:1: published:", "has not come"),
        (
            "    fact: goods",
            "    universe: 2018-13-01\n    fact: goods",
            "mine.yaml:13: universe:",
            "not a date",
        ),
        (
            "    fact: goods",
            "    universe: everybody\n    fact: goods",
            "mine.yaml:13: universe:",
            "no partner",
        ),
        ("unit: USD", "unit: dollars", "mine.yaml:10: unit:", "USD, percent"),
        ("printed: $222.6 billion", "printed: a lot", "mine.yaml:11: printed:", "355 million"),
        ("rounding: 0.1 billion", "rounding: 0", "mine.yaml:12: rounding:", "above zero"),
        ("unit: USD", "unit: percent", "mine.yaml:8: unit:", "is in USD, not in percent"),
        ("goods.deficit.ytd", "goods.deficit@2018-13", "mine.yaml:13: fact:", "not a month"),
        ("goods.deficit.ytd", "goods.balance.rank@2017", "mine.yaml:13: fact:", "ask of the deficit"),
        ("    fact: goods", "    facts: goods", "mine.yaml:13: facts:", "no field"),
        ("publisher: Me\n", "", "mine.yaml:1: publisher:", "missing"),
        ("claims:", "claims: none\nmore:", "mine.yaml:8: more:", "no field"),
        ("  - id: a", "  - id: [", "mine.yaml:10:", "not YAML"),
    ],
)
def test_a_wrong_entry_is_refused_with_file_line_and_field(written, old, new, place, words):
    assert old in GOOD
    with pytest.raises(tl.TradelibError) as error:
        load_article(written(GOOD.replace(old, new)))
    assert str(error.value).startswith(place), str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n"])
def test_what_is_no_mapping_is_refused(written, text):
    with pytest.raises(tl.TradelibError, match=r"mine.yaml:1: article: needs fields"):
        load_article(written(text))


def test_the_same_id_twice_is_refused(written):
    twice = GOOD + GOOD[GOOD.index("  - id: a") :]
    with pytest.raises(tl.TradelibError, match=r"mine.yaml:14: id: 'a' is there twice"):
        load_article(written(twice))


@pytest.mark.parametrize(
    ("unit", "printed", "words"),
    [
        ("rank", "0", "not a rank"),
        ("quarter", "mid-2016", "no period"),
        ("quarter", "2016Q3..2016Q2", "no period"),
        ("quarter", "2016", "no period"),
        ("month", "2016", "no period"),
        ("month", "2016-07..2016", "no period"),
        ("list", "[]\n    match: includes", "is included in any"),
        ("list", "KOR", "needs a list"),
        ("list", "[KOR, Atlantis]", "Atlantis"),
        ("bool", "perhaps", "not allowed"),
        ("percent", "73,5 percent", "no number of percent"),
        ("percent", "73 billion", "no number of percent"),
        ("ratio", "3 million times", "no number of ratio"),
        ("USD", "$3,55 million", "no number of USD"),
        ("USD", "$1,0000 million", "no number of USD"),
    ],
)
def test_a_printed_value_must_suit_its_unit(written, unit, printed, words):
    text = GOOD.replace("unit: USD", f"unit: {unit}").replace("goods.deficit.ytd", "total.trend.start")
    text = text.replace("printed: $222.6 billion", f"printed: {printed}")
    with pytest.raises(tl.TradelibError, match=words):
        load_article(written(text))


def test_a_path_that_can_be_none_is_told():
    with pytest.raises(tl.TradelibError, match="There is no claims file"):
        load_article("a\0b.yaml")


def test_an_unknown_article_names_those_there_are():
    run = CliRunner().invoke(main, ["audit", "kei-2019"])
    assert run.exit_code == 1
    assert "kei-2018-09-05" in run.output and "Traceback" not in run.output


def test_a_fact_that_there_is_not_is_refused_with_its_place_and_near_ones(written):
    path = written(GOOD.replace("goods.deficit.ytd", "goods.balanse.ytd"))
    run = CliRunner().invoke(main, ["audit", str(path)])
    assert run.exit_code == 1
    assert "mine.yaml:8: fact: there is no fact 'goods.balanse.ytd'" in run.output
    assert "goods.balance.ytd" in run.output


def test_a_fact_in_another_unit_is_refused(written):
    path = written(GOOD.replace("goods.deficit.ytd", "total.deficit.larger"))
    run = CliRunner().invoke(main, ["audit", str(path)])
    assert run.exit_code == 1
    assert "unit: total.deficit.larger is in list, not in USD" in run.output


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "The U.S. goods deficit with China fell by 17.6 percent in 2019",
            ("CHN", "goods.deficit.change_pct@2019", "down 17.6 percent"),
        ),
        (
            "Exports to South Korea came to $31.8 billion in January-July 2018",
            ("KOR", "goods.exports@2018-01..2018-07", "$31.8 billion"),
        ),
        (
            "Mexico had the second largest deficit in the first half of 2020",
            ("MEX", "goods.deficit.rank@2020-01..2020-06", "second"),
        ),
        (
            "The deficit in goods and services with Canada was $35.7 billion in 2024",
            ("CAN", "total.deficit@2024", "$35.7 billion"),
        ),
        (
            "The services surplus with Japan grew by $2 billion",
            ("JPN", "services.surplus.ytd.change_usd", "up $2 billion"),
        ),
        (
            "In 2017 exports to China had more than doubled since 2005",
            ("CHN", "goods.exports.change_pct@2017 vs 2005", "more than doubled"),
        ),
        (
            "Exports to Germany averaged $6.4 billion per month in fiscal year 2023",
            ("DEU", "goods.exports.per_month@FY2023", "$6.4 billion"),
        ),
        (
            "A surplus with Brazil in 2008, for the first time since 2007",
            ("BRA", "goods.surplus.first_since@2008", "2007"),
        ),
        ("nothing at all", ("", "goods.exports.ytd", "")),
    ],
)
def test_a_claim_is_guessed_at_from_its_words(text, found):
    guessed = guess(text)
    assert (guessed.partner, guessed.fact, guessed.printed) == found


def test_a_first_claims_file_is_written_by_answering_a_few_questions(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "The goods deficit with China, 'record' or not: $375.6 billion in 2017"
    run = CliRunner().invoke(main, ["claim", text], input="Me\n2018-10-05\n\n\n\n")
    assert run.exit_code == 0 and "reproduced" in run.output, run.output
    more = ["--partner", "CAN+MEX", "--fact", "goods.deficit@2017", "--printed", "88.6bn"]
    run = CliRunner().invoke(main, ["claim", "The same with both neighbours", *more])
    assert run.exit_code == 0 and "my-claims.2" in run.output, run.output
    article = load_article(tmp_path / "my-claims.yaml")
    assert [claim.text for claim in article.claims] == [text, "The same with both neighbours"]
    before = (tmp_path / "my-claims.yaml").read_bytes()
    wrong = ["--partner", "CHN", "--fact", "goods.deficit@2017-13", "--printed", "1"]
    run = CliRunner().invoke(main, ["claim", "Wrong", *wrong])
    assert run.exit_code == 1 and "my-claims.yaml:" in run.output and "not a month" in run.output
    assert (tmp_path / "my-claims.yaml").read_bytes() == before


HANDED = ROOT.parent / "shared" / "claims" / "claims.csv"


@pytest.mark.skipif(not HANDED.exists(), reason="the handed claims are not here")
def test_verdicts_are_those_of_the_blind_labels(tmp_path, monkeypatch):
    """Of a few documents, drawn with a printed seed; `tests/benchmarks/claims.py` asks of all of them."""
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "benchmarks"))
    from claims import compare, measure

    handed, seed = pd.read_csv(HANDED, dtype="str"), random.randrange(10_000)
    print(f"seed {seed}")
    rows = handed[handed["doc"].isin(handed["doc"].drop_duplicates().sample(3, random_state=seed))]
    told = pd.concat([measure(each, tmp_path) for _, each in rows.groupby("doc", sort=False)])
    assert told["asked"].mean() > 0.8
    for row in told[told["asked"]].to_dict("records"):
        for kind, label, verdict, why in compare(row):
            assert label == verdict or why, (kind, row["claim"], row["fact"])
