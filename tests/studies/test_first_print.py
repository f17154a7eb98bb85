"""How far first prints moved: against raw readings; bands that hold; news and noise by a second way."""

import numpy as np
import pandas as pd
import pytest
from helpers import raw_sum, said, sheet

from tradelib.briefs import goods
from tradelib.store import vintages
from tradelib.studies import first_print, revisions

MONTHS = [f"2018-0{n}" for n in range(1, 9)]


@pytest.fixture(scope="module")
def moved():
    return first_print.moves(months=[8])


def test_a_move_is_the_difference_of_two_readings_of_the_files(moved):
    rows = moved[(moved["partner"] == "5800") & (moved["year"] == 2018)].set_index("measure")
    days = ("2018-10-05", "2020-10-06")
    exports, imports = (
        [raw_sum("goods_census_nsa", day, MONTHS, partner="5800", flow=flow) for day in days]
        for flow in ("exports", "imports")
    )
    assert rows.loc["exports", ["first_usd", "move_usd"]].tolist() == [exports[0], exports[1] - exports[0]]
    balance = (exports[1] - imports[1]) - (exports[0] - imports[0])
    assert rows.loc["balance", "move_usd"] == balance
    assert rows.loc["balance", "move_pct"] == pytest.approx(100 * balance / (exports[0] + imports[0]))
    assert rows["revisions"].tolist() == [2, 2, 2], "June 2019 and June 2020"
    assert "1220" not in set(moved["partner"]), "Canada is revised every month"


def test_the_bands_of_the_briefs_are_those_of_the_bundled_vintages(moved):
    found = first_print.bands(moved).set_index(["measure", "month", "size_from_usd"])
    kept = goods.bands().loc[(slice(None), 8, slice(None)), :]
    assert kept.index.sort_values().equals(found.index.sort_values())
    for column, digits in (("low_pct", 3), ("high_pct", 3), ("prints", 0), ("years", 0), ("coverage_pct", 1)):
        assert np.allclose(found[column].reindex(kept.index), kept[column], atol=0.51 * 10**-digits), column


def test_coverage_is_that_of_years_left_out(moved):
    rows = moved[(moved["measure"] == "imports") & (moved["size_usd"] >= 1e10)]
    inside = []
    for year in rows["year"].unique():
        others = sorted(rows.loc[rows["year"] != year, "move_pct"])
        low, high = np.percentile(others, [10, 90])
        inside += [low <= pct <= high for pct in rows.loc[rows["year"] == year, "move_pct"]]
    told = goods.bands().loc[("imports", 8, 1e10), "coverage_pct"]
    assert 100 * np.mean(inside) == pytest.approx(told, abs=0.06)


def test_a_brief_says_the_band_of_a_first_print_and_what_it_rests_on():
    text = str(said("first-print", sheet("KOR", "2024-08")))
    low, high = (goods.bands().loc[("exports", 8, 1e10), name] for name in ("low_pct", "high_pct"))
    assert f"by {low:.1f} percent to +{high:.1f} percent in exports" in text
    assert "5 years, 138 first prints" in text


@pytest.mark.parametrize(
    ("who", "release", "as_of", "reason"),
    [
        ("CAN", "2024-08", None, "revised once a year"),
        ("Tuvalu", "2024-08", None, "too little trade"),
        ("KOR", "2018-07", "2018-10-05", "later days"),
        ("KOR", "2023-05", "2024-10-08", "through an annual revision"),
        ("KOR", "2025-02", None, "only as revised in June"),
        ("KOR", "2024-04", "2024-10-08", "no band that holds"),
    ],
)
def test_no_band_is_told_where_none_holds(who, release, as_of, reason):
    found = sheet(who, release, as_of)
    assert reason in found["goods.exports.ytd.first_print_low_pct"].reason
    assert "exports" not in str(said("first-print", found))


def test_the_page_on_revisions_has_each_first_print_and_the_tests():
    found = revisions.study(sheet("KOR", "2018-07", "2025-04-03"))
    rows, months = found.first_prints, MONTHS[:7]
    exports = [
        raw_sum("goods_census_nsa", day, months, partner="5800", flow="exports")
        for day in ("2018-10-05", "2020-10-06")
    ]
    assert rows.index.tolist() == [2011, 2016, 2018, 2020, 2022]
    assert rows.loc[2018, "exports_pct"] == pytest.approx(100 * (exports[1] / exports[0] - 1))
    assert found.news["n"].tolist() == [37] * 4, "months that were due for revision"
    assert revisions.study(sheet("CAN", "2018-07", "2025-04-03")).first_prints is None


def test_an_alarm_is_false_for_at_most_five_percent_of_ordinary_revisions():
    past = first_print.history(vintages.list_vintages("goods_census_nsa"))
    told = asked = 0
    for pair, rows in past.items():
        bound = first_print.thresholds(rows, [other for one, other in past.items() if one != pair])
        told, asked = told + (rows["moved_pct"] > bound).sum(), asked + len(rows)
    assert len(past) == 5 and asked > 1100
    assert 0 < told <= 0.05 * asked


@pytest.fixture(scope="module")
def prints():
    random = np.random.default_rng(20260101)
    final = pd.Series(random.normal(5, 3, 60)).rolling(3, min_periods=1).mean()
    return final + random.normal(0, 1, 60), final


def test_a_regression_of_news_or_noise_is_as_statsmodels_has_it(prints):
    import statsmodels.api as sm
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    first, final = prints
    found = first_print.news_and_noise(first, final)
    for test, x in (("news", first), ("noise", final)):
        fit = sm.OLS(final - first, sm.add_constant(x)).fit()
        scores = fit.model.exog * np.asarray(fit.resid)[:, None]
        rho = sm.OLS(scores[1:, 1], sm.add_constant(scores[:-1, 1])).fit().params[1]
        width = 1.3221 * (60 * 4 * rho**2 / (1 - rho) ** 4) ** 0.2

        def weights(lags, width=width):
            d = 6 * np.pi * np.arange(1, lags + 1) / (5 * width)
            return np.concatenate([[1], 3 / d**2 * (np.sin(d) / d - np.cos(d))])

        bread = np.linalg.inv(fit.model.exog.T @ fit.model.exog)
        covariance = 60 / 58 * bread @ S_hac_simple(scores, 59, weights) @ bread
        joint = fit.f_test(np.eye(2), cov_p=covariance)
        row = found.loc[test]
        assert row[["intercept", "slope"]].tolist() == pytest.approx(list(fit.params))
        assert row[["intercept_error", "slope_error"]].tolist() == pytest.approx(
            list(np.diag(covariance) ** 0.5), rel=1e-3
        )
        assert row["p_value"] == pytest.approx(float(joint.pvalue), rel=1e-2)


def test_added_noise_is_noise_and_no_news(prints):
    first, final = prints
    found = first_print.news_and_noise(first, final)
    assert found.loc["news", "p_value"] < 0.01, "the first print foretells its revision: it is not efficient"
    assert found.loc["noise", "p_value"] > 0.05, "the revision has nothing to do with the final figure"
