"""Whether a passage or a title of a page reads well: words, spaces, brackets and grammar."""

import re

NOT_A_WORD = re.compile(r"\bnan\b|\bNone\b|\binf\b|<NA>|\bNaT\b|\bTrue\b|\bFalse\b|[{}]")
BAD_SPACING = re.compile(
    r"  |[ \n][.,;:)]|\( |\.\.|,,|,\.|\(\)|\$0\.0 |(?<!, )(?<!\()-\$|(?<![\d,.])0\.0 percent|^ | $",
    re.MULTILINE,
)
BAD_GRAMMAR = re.compile(
    r"\b(the the|a a|an a|by by|of of|to to|in in|was was|0 countries|1st largest|"
    r"[1-9]\d* country|[2-9] chapter|was little change|a balance of zero of)\b"
    r"|\b(figures|these|goods exports|goods imports|services exports|services imports) (is|was)\b"
    r"|\bThe U\.S\. (deficit|surplus|balance)[^.]* (are|were) "
    r"|\bbillion billion|\bpercent percent|\ba (8|11|18)\d* (million|billion)|\bthe [1-9]\d*th year",
    re.IGNORECASE,
)


def check(text: str, about: tuple, *, title: bool = False) -> None:
    """A passage, or a title, reads well."""
    assert text.strip(), (*about, "nothing is said")
    if text.startswith("|"):  # a table: each of its cells
        for row in text.replace("**", "").split("\n"):
            for cell in row.strip("| ").split(" | ") if set(row) - set("|:-") else ():
                check(f"It is {cell}", about, title=True)
        return
    for rule in (NOT_A_WORD, BAD_SPACING, BAD_GRAMMAR):
        assert not rule.search(text), (*about, rule.search(text)[0], text)
    links = re.sub(r"\[[^\]]*\]\([^)]*\)", "", text)
    assert "[" not in links and "]" not in links and "|" not in links, (*about, text)
    for line in text.split("\n"):
        begun = line.lstrip("#>-* ")
        assert not line or begun[:1].isupper() or begun[:1] == "$", (*about, line)
        assert line.count("(") == line.count(")"), (*about, line)
        assert title or not line or line[-1] in ".:" or line.startswith("#"), (*about, line)
    assert not title or ("\n" not in text and text[-1] not in ".,:; "), (*about, text)
