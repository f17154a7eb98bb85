"""Cards: escaped, and no two dollar signs of one text become maths."""

from helpers import audited

from tradelib import cards, resolve


def test_text_is_escaped_and_its_dollars_stay_money():
    assert cards.safe("<b>$1 & $2</b>") == ("&lt;b&gt;<span>$</span>1 &amp; <span>$</span>2&lt;/b&gt;")


def test_a_card_leaves_out_what_has_no_value():
    drawn = cards.card("Partner", "South Korea", [("ISO", "KOR"), ("Until", None), ("Note", "")])
    assert "<b>South Korea</b>" in drawn and "KOR" in drawn
    assert "Until" not in drawn and "Note" not in drawn


def test_the_card_of_a_partner_tells_codes_kind_and_years():
    drawn = resolve("KOR")._repr_html_()
    for word in ("Korea, South", "5800", "KR, KOR", "country", "1985 to today"):
        assert word in drawn
    assert "to today" not in resolve("OPEC")._repr_html_()


def test_the_card_of_a_verdict_says_it_in_words_and_colour():
    growth = audited()[4]
    drawn = growth._repr_html_()
    assert '<b style="color:#2B8A63">reproduced</b>' in drawn
    assert "goods_census_nsa of 2018-10-05 (30 days after the as-of date" in drawn
