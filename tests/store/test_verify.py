"""Every vintage is read whole and hashed again: what is damaged is named, its read refused."""

import os
import random
from datetime import date

import pytest
from click.testing import CliRunner
from stored import save, save_large

from tradelib import list_vintages, load, load_goods
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


@pytest.mark.parametrize("place", ["table=trade_bop_sa/published=2025-03-06", "published=2031-01-03"])
def test_a_vintage_that_stands_in_anothers_place_is_not_loaded_as_that_one(store, place):
    """Goods were loaded as goods and services."""
    vintage, _ = save()
    there = store / place if "table" in place else vintage.path.parents[1] / place
    there.mkdir(parents=True)
    vintage.path.rename(there / vintage.path.name)
    with pytest.raises(
        TradelibError, match=r"says that it is goods_census_nsa of .*: it stands in another's"
    ):
        load("trade_bop_sa" if "table" in place else vintage.table, as_of="latest", partner="KOR")


def test_verify_names_the_damaged_part_of_a_large_vintage(store):
    vintage, _ = save_large()
    part = vintage.files[0]
    frame = parquet.read(part, "M")
    frame.loc[0, "value_usd"] += 1
    parquet.write(frame, part, {})
    (bad,) = [finding for finding in verify(store) if finding.problem]
    assert "year=2029" in bad.problem and "hash differs" in bad.problem


def test_verify_is_content_with_a_sound_store(store, monkeypatch, tmp_path):
    monkeypatch.setattr(vintages, "BUNDLED", tmp_path / "bundled")  # what is bundled: the last test
    save(published=date(2031, 1, 3), store=tmp_path / "bundled")
    save()
    save_large()
    result = CliRunner().invoke(main, ["verify"])
    assert result.exit_code == 0
    count = len(list_vintages())
    assert count == 3
    assert f"{count} of {count} vintages are what they were" in result.output


def test_a_card_nested_without_end_is_refused_in_words(store):
    vintage, _ = save_large()
    vintage.path.write_bytes(b'{"parts": ' + b"[" * 100_000)
    with pytest.raises(TradelibError, match="is not a tradelib vintage, or is damaged"):
        vintages.look(vintage.path)
    card, *parts = [finding for finding in verify(store) if finding.problem]
    assert "damaged" in card.problem and len(parts) == 2, "its parts are named by no card now"


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


def _flip(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def test_one_flipped_bit_in_a_vintage_is_noticed_when_it_is_used(store):
    seed = random.randrange(10**6)
    chance, whole = random.Random(seed), vintages.list_vintages("goods_census_nsa")[-2].path.read_bytes()
    place = store / "table=goods_census_nsa" / "published=2024-10-08" / "flows.parquet"
    place.parent.mkdir(parents=True)
    for _ in range(30):
        place.write_bytes(_flip(whole, chance))
        with pytest.raises(TradelibError, match=r"damaged"):
            vintages.read(vintages.look(place), partner="5800")
        place.unlink()  # its time of change may be that of the next
    print("seed", seed)


def test_one_flipped_bit_in_a_vintage_of_tradelib_0_1_is_noticed_when_it_is_used(store):
    vintage, _ = save()
    whole = vintage.path.read_bytes().replace(b"file_sha256", b"file_sha255")
    meta = parquet.read_meta(vintage.path)
    assert not parquet.is_sealed(whole)
    damaged = whole.replace(b"5800", b"5880")  # Korea's rows are Japan's
    vintage.path.write_bytes(damaged)
    with pytest.raises(TradelibError, match="not those that were written"):
        parquet.read(vintage.path, "M")
    vintage.path.write_bytes(whole)
    assert parquet.digest(parquet.read(vintage.path, "M")) == meta["sha256"]


def test_a_flipped_bit_in_a_large_vintage_changes_no_figure_that_is_read(store):
    vintage, _ = save_large()
    rows, part, chance = vintages.read(vintage), vintage.files[0], random.Random(3)
    whole, refused = part.read_bytes(), 0
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for within in [whole[:footer]] * 40 + [whole[footer:]] * 40:  # that of a page's header may mean nothing
        damaged = _flip(within, chance)
        part.write_bytes(damaged + whole[footer:] if len(within) == footer else whole[:footer] + damaged)
        try:
            assert vintages.read(vintage).equals(rows)
        except TradelibError as error:
            assert "Cannot read the rows" in str(error)
            refused += 1
        part.unlink()  # its time of change may be that of the next
    assert refused > 60


def test_a_large_vintage_that_was_sealed_as_a_whole_is_still_held_against_its_seal(store, monkeypatch):
    write = parquet.write
    with monkeypatch.context() as before:
        before.setattr(parquet, "write", lambda frame, path, meta, large: write(frame, path, meta))
        vintage, _ = save_large()
    rows, part = vintages.read(vintage), vintage.files[0]
    whole = part.read_bytes()
    assert b"file_sha256" in whole and len(rows)
    part.unlink()
    part.write_bytes(_flip(whole, random.Random(5)))
    with pytest.raises(TradelibError, match="not those that were written"):
        vintages.read(vintage)


def test_what_a_large_vintage_tells_of_itself_is_noticed_when_it_is_changed(store):
    vintage, _ = save_large()
    card = vintage.path.read_text()
    vintage.path.write_text(card.replace('"through": "2030-01"', '"through": "2031-01"', 1))
    with pytest.raises(TradelibError, match="damaged"):
        list_vintages()


@pytest.fixture
def no_rights(store):
    """Take the rights to a folder from us, also where the tests run as root."""
    taken = []

    def take(folder):
        folder.chmod(0)
        taken.append(folder)
        if os.geteuid() == 0:
            os.seteuid(65534)

    user = os.geteuid()
    for folder in [store, *store.parents][:3]:
        folder.exists() and folder.chmod(0o755)
    yield take
    os.seteuid(user)
    for folder in taken:
        folder.chmod(0o755)


def test_a_vintage_that_may_not_be_read_is_not_called_damaged(store, no_rights):
    vintage, _ = save()
    no_rights(vintage.path)
    with pytest.raises(TradelibError, match=r"Cannot read .*flows\.parquet: Permission denied"):
        vintages.look(vintage.path)


@pytest.mark.parametrize("inside", ["", "table=goods_census_nsa"])
def test_a_store_that_may_not_be_read_is_an_error_and_no_empty_store(
    store, no_rights, inside, monkeypatch, tmp_path
):
    save()
    no_rights(store / inside)
    if os.access(store / inside, os.R_OK, effective_ids=True):
        pytest.skip("nothing can be kept from this user")
    for use in (list_vintages, lambda: load_goods(as_of="2024-10-08"), verify):
        if use is verify:  # it reads all that is bundled, before the store
            monkeypatch.setattr(vintages, "BUNDLED", tmp_path / "nothing is bundled")
        with pytest.raises(TradelibError, match=r"(?s)Cannot read .*may you read it"):
            use()


def test_what_is_bundled_is_what_it_was():
    findings = verify(vintages.BUNDLED)
    assert len(findings) > 10 and not [one for one in findings if one.problem]
