"""What a sweep is asked for: partners in words, and a standing list whose mistakes are told by line."""

import nbformat
import pytest
from helpers import snapshot
from nbformat.v4 import new_code_cell, new_notebook

from tradelib.briefs.snapshot import covered_partners
from tradelib.errors import TradelibError
from tradelib.partners import members, partner
from tradelib.runs.plan import expand, one_run, plan, read_runs

TYPED = 'partner: str = "KOR"\nrelease: str = "2018-07"\nas_of: str = ""\n'
TYPED += 'country: str = "NO"\ndepth: int = 2\nshare: float = 0.5\nlong: bool = False'

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


@pytest.fixture
def own(tmp_path):
    """A notebook of the user's, with parameters of every type, beside her list of runs."""
    cell = new_code_cell(TYPED, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell], metadata=KERNEL), tmp_path / "mine.ipynb")


@pytest.fixture
def listed(tmp_path, own):
    """Write a list of runs and read it."""

    def read(text):
        path = tmp_path / "runs.yaml"
        path.write_text(text)
        return read_runs(path)

    return read


def test_all_is_every_single_partner_with_goods_in_the_release():
    codes, wrong = expand(["all"], snapshot("2018-07"))
    assert sorted(codes) == sorted(covered_partners(snapshot("2018-07")))
    assert len(codes) > 220
    assert not wrong


def test_a_group_is_its_members_of_the_day():
    codes, _ = expand(["group:EU"], snapshot("2018-07"))
    assert set(codes) == set(members("0003", "2018-09-05"))
    assert "4120" in codes, "the United Kingdom was one of them in 2018"
    assert "4120" not in expand(["group:EU"], snapshot("2024-08"))[0]


def test_partners_come_once_and_in_the_order_of_their_names():
    codes, _ = expand(["MEX", "South Korea", "5800", "group:usmca"], snapshot("2018-07"))
    assert [partner(code).name for code in codes] == ["Canada", "Korea, South", "Mexico"]


def test_a_name_that_means_nothing_is_told_and_the_others_stay():
    codes, wrong = expand(["KOR", "Atlantis", "group:KOR", "Korea"], snapshot("2018-07"))
    assert codes == ["5800"]
    assert list(wrong) == ["Atlantis", "group:KOR", "Korea"]
    assert "no list of members" in wrong["group:KOR"].lower()
    assert "ambiguous" in wrong["Korea"]


def test_the_words_of_the_command_line_are_taken_apart():
    assert one_run("KOR, group:asean").partners == ("KOR", "group:asean")
    codes, wrong = expand(["KOR", "group:usmca", "Atlantis"], snapshot("2018-07"))
    assert codes == ["1220", "5800", "2010"]
    assert wrong["Atlantis"].splitlines()[0] == "'Atlantis' matches no partner."
    assert list(plan("2018-07", "KOR,Atlantis").wrong) == ["Atlantis"]


def test_latest_is_the_newest_day_at_hand(tmp_path):
    (job,) = plan("2018-07", "KOR", as_of="latest", reports=tmp_path).jobs
    assert (job.name, job.record["parameters"]["as_of"]) == ("korea-south.as-of-2026-11-24", "2026-11-24")


def test_no_partner_at_all_is_a_mistake():
    with pytest.raises(TradelibError, match="No partner is named"):
        one_run(" , ")


def test_a_list_names_notebooks_partners_days_labels_and_parameters(listed):
    first, second, third = listed(
        "runs:\n"
        "  - partners: all\n"
        "  - {notebook: partners.ipynb, partners: KOR, as_of: latest}\n"
        "  - notebook: mine.ipynb\n"
        "    partners: [KOR, group:asean]\n"
        "    as_of: 2018-10-05\n"
        "    label: deep\n"
        "    parameters: {country: NO, depth: 3, share: 0.25, long: true}\n"
    )
    assert (first.notebook.name, first.partners, first.as_of) == ("release.ipynb", ("all",), None)
    assert (second.notebook.name, second.partners, second.as_of) == ("partners.ipynb", ("KOR",), "latest")
    told = ("mine.ipynb", ("KOR", "group:asean"), "2018-10-05")
    assert (third.notebook.name, third.partners, third.as_of) == told
    assert third.label == "deep"
    assert third.parameters == {"country": "NO", "depth": 3, "share": 0.25, "long": True}


UNTYPED = """partner = "KOR"
top = 10
verbose = True
share = 0.5
words: list = []
depth: "list[int]" = [1]
of = None
name = "a"
"""


def test_values_keep_their_type_where_the_notebook_says_none(listed, tmp_path):
    """The case `yaml-parameters-lose-their-type`: the type is that of the default, else what YAML means."""
    cell = new_code_cell(UNTYPED, metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[cell], metadata=KERNEL), tmp_path / "untyped.ipynb")
    start = "runs:\n  - notebook: untyped.ipynb\n    parameters: "
    (run,) = listed(start + "{top: 5, verbose: false, share: 2, words: [a, 3, NO], of: 7, name: 0101}\n")
    assert run.parameters == {
        "top": 5,
        "verbose": False,
        "share": 2.0,
        "words": ["a", 3, "NO"],
        "of": 7,
        "name": "0101",
    }
    assert type(run.parameters["share"]) is float
    (run,) = listed(start + "{of: '7', words: ['3'], depth: [2]}\n")
    assert run.parameters == {"of": "7", "words": ["3"], "depth": [2]}
    assert [
        listed(start + f"{{of: {text}}}")[0].parameters["of"] for text in ("NO", "null", "[1, true]")
    ] == [
        "NO",
        None,
        [1, True],
    ]
    for text, told in {
        "top: many": "'many', not a whole number",
        "verbose: 1": "'1', not true or false|1, not true or false",
        "words: a": "'a', not a list",
        "name: [a]": r"\['a'\], not a text",
        "top: [5]": r"\[5\], not a whole number",
    }.items():
        with pytest.raises(TradelibError, match=rf"runs.yaml:2: parameters: The parameter \w+ is ({told})"):
            listed(start + f"{{{text}}}\n")


def test_a_run_may_give_each_cell_longer(listed):
    first, second = listed("runs:\n  - {cell_limit: 900}\n  - {}\n")
    assert (first.cell_limit, second.cell_limit) == (900, None)
    jobs = [plan("2018-07", "KOR", cell_limit=limit).jobs[0] for limit in (None, 20)]
    assert [job.cell_limit for job in jobs] == [300, 20]
    assert jobs[0].record == jobs[1].record, "no page depends on it"


def test_norway_stays_norway(listed):
    (run,) = listed("runs:\n  - {notebook: mine.ipynb, partners: [NO], parameters: {country: 0101}}\n")
    assert run.partners == ("NO",)
    assert run.parameters == {"country": "0101"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("runs:\n  - notebok: release.ipynb\n", r"runs.yaml:2: notebok: is no field here"),
        ("runs:\n  - {}\n  - notebook: nowhere.ipynb\n", r"runs.yaml:3: notebook: There is no notebook"),
        ("runs:\n  - partners: []\n", r"runs.yaml:2: partners: No partner is named"),
        ("runs:\n  - as_of: yesterday\n", r"runs.yaml:2: as_of: .*is not a date"),
        ("runs:\n  - label: a/b\n", r"runs.yaml:2: label: 'a/b' cannot be part"),
        ("runs:\n  - parameters: {colour: red}\n", r"runs.yaml:2: parameters: release.ipynb has no"),
        (
            "runs:\n  - {notebook: mine.ipynb, parameters: {depth: deep}}\n",
            r"runs.yaml:2: parameters: The parameter depth is 'deep', not a whole number",
        ),
        (
            "runs:\n  - {notebook: mine.ipynb, parameters: {long: yes}}\n",
            r"The parameter long is 'yes', not true or false",
        ),
        (
            "runs:\n  - parameters: {partner: '5880'}\n",
            r"runs.yaml:2: parameters: partner is none.*\n.*`partners`",
        ),
        ("runs:\n  - parameters: {as_of: 2018-10-05}\n", r"runs.yaml:2: parameters: as_of is none of them"),
        ("runs: all\n", r"runs.yaml:1: runs: needs a list"),
        ("- a\n", r"runs.yaml:1: runs: needs fields"),
        ("runs: [", r"runs.yaml:\d: not YAML"),
        ("runs: " + "[" * 3000 + "]" * 3000, r"runs.yaml: it is nested too deeply"),
        ("runs:\n  - label: a\n    label: b\n", r"runs.yaml:3: label: is there twice"),
        ("runs:\n  - {[a]: b}\n", r"runs.yaml:2: run: the name of a field is one word"),
        ("? {a: b}\n: c\n", r"runs.yaml:1: runs: the name of a field is one word"),
        ("runs:\n  - partners: [[KOR]]\n", r"runs.yaml:2: partners: needs a list of plain values"),
        ("runs:\n  - partners: {a: b}\n", r"runs.yaml:2: partners: needs a value, not fields"),
        ("runs:\n  - cell_limit: soon\n", r"runs.yaml:2: cell_limit: 'soon' is not a number of seconds"),
        ("runs: \0", r"runs.yaml:?\d*: not YAML"),
        ("runs:\n" + "  - {}\n" * 200_000, r"runs.yaml: it has more than 1,000,000 bytes"),
        ("", r"runs.yaml:1: runs: needs fields"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(listed, text, told):
    with pytest.raises(TradelibError, match=told):
        listed(text)


def test_a_list_that_is_not_there_is_told(tmp_path):
    with pytest.raises(TradelibError, match="There is no list of runs"):
        read_runs(tmp_path / "runs.yaml")
