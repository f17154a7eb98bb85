"""Every vintage is read whole and hashed again: what is damaged is named, its read refused."""

import pytest
from click.testing import CliRunner
from stored import save, save_large

from tradelib import list_vintages
from tradelib.cli.main import main
from tradelib.errors import TradelibError
from tradelib.store import parquet, vintages
from tradelib.store.verify import verify


def damage(vintage, **changes):
    """Write a vintage again with other figures, or other metadata, under the same name."""
    meta = parquet.read_meta(vintage.path) | changes
    frame = vintages.read(vintage)
    frame.loc[0, "value_usd"] += 1 if not changes else 0
    vintage.path.unlink()
    parquet.write(frame, vintage.path, meta)


DAMAGES = {
    "another figure": (lambda v: damage(v), "their hash differs"),
    "another table's name": (lambda v: damage(v, table="goods_census_sa"), "says that it is goods_census_sa"),
    "another number of rows": (lambda v: damage(v, rows=7), "8 rows, 7 were saved"),
    "cut short": (lambda v: v.path.write_bytes(v.path.read_bytes()[:900]), "not a tradelib vintage"),
}


@pytest.mark.parametrize("case", DAMAGES)
def test_verify_names_what_is_wrong_and_exits_non_zero(store, case, monkeypatch, tmp_path):
    monkeypatch.setattr(vintages, "BUNDLED", tmp_path / "nothing is bundled")
    vintage, _ = save()
    change, words = DAMAGES[case]
    change(vintage)
    result = CliRunner().invoke(main, ["verify"])
    assert result.exit_code == 1
    assert str(vintage.path) in result.output and words in result.output, result.output


def test_verify_names_the_damaged_part_of_a_large_vintage(store):
    vintage, _ = save_large()
    part = vintage.files[0]
    frame = parquet.read(part, "M")
    frame.loc[0, "value_usd"] += 1
    parquet.write(frame, part, {})
    (bad,) = [finding for finding in verify(store) if finding.problem]
    assert "year=2029" in bad.problem and "hash differs" in bad.problem


def test_verify_is_content_with_a_sound_store(store):
    save()
    save_large()
    result = CliRunner().invoke(main, ["verify"])
    assert result.exit_code == 0
    count = len(list_vintages())
    assert f"{count} of {count} vintages are what they were" in result.output


def test_a_damaged_vintage_is_read_or_refused_in_words_and_never_ends_in_a_traceback(store):
    vintage, _ = save()
    whole, sound = vintage.path.read_bytes(), vintages.read(vintage)
    refused = 0
    for at in range(4, len(whole), 7):
        vintage.path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            assert list(vintages.read(vintage)) == list(sound)
        except TradelibError as refusal:
            assert str(vintage.path.parent) in str(refusal) and "get the vintage again" in str(refusal)
            refused += 1
    assert refused > 100


def test_what_is_bundled_is_what_it_was():
    findings = verify(vintages.BUNDLED)
    assert len(findings) > 10 and not [one for one in findings if one.problem]
