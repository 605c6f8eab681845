"""The journal says what was decided, in order, whatever happens to the process, the disk or the file."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidreid.errors import InputError, StorageError
from vidreid.store.journal import KINDS, LEAST_SUBJECTS, Anchor, Decision, Journal, Undo, active, digest

numbers = st.floats(-1e6, 1e6, width=32)
anchors = st.builds(
    Anchor,
    st.text(max_size=8),
    st.text("0123456789abcdef", max_size=8),
    st.integers(0, 2**62),
    st.tuples(*[numbers] * 4),
)
subjects = st.lists(anchors, min_size=1, max_size=3).map(tuple)


@st.composite
def decisions(draw):
    """Any decision that can be made."""
    kind = draw(st.sampled_from(KINDS))
    several = tuple(draw(st.lists(subjects, min_size=LEAST_SUBJECTS[kind], max_size=3)))
    at = ("ab", draw(st.integers(-5, 2**62))) if kind == "split" else None
    return Decision(kind, several, at, draw(st.text(max_size=9)))


def decision(number: int = 0) -> Decision:
    box = (1.5, 2.25, 3.125, 4.0)
    return Decision("same", tuple((Anchor("yard", "ab" * 32, number, box),) for _ in range(2)), note=f"the {number}th")


@pytest.fixture
def journal(tmp_path):
    """A journal of three decisions, the second of which was undone."""
    journal = Journal(tmp_path / "journal.sqlite")
    journal.append([decision(1), decision(2), decision(3)])
    journal.undo(2)
    return journal


@settings(max_examples=30)
@given(steps=st.lists(st.lists(decisions(), max_size=3) | st.integers(0, 9), max_size=8))
def test_any_appends_and_undos_are_those_of_a_plain_list(tmp_path_factory, steps):
    path = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    model, held = [], {}
    for step in steps:
        if isinstance(step, int) and step not in held:
            with pytest.raises(InputError, match=f"decision {step}"):
                Journal(path).undo(step)
            continue
        written = [Undo(step)] if isinstance(step, int) else step
        for entry in written:
            number = len(model) + 1
            model.append(replace(entry, number=number))
            if isinstance(entry, Undo):
                del held[entry.undoes]
            else:
                held[number] = model[-1]
        assert [replace(entry, made="") for entry in Journal(path).append(written)] == model[
            len(model) - len(written) :
        ]
    assert [replace(entry, made="") for entry in Journal(path).history()] == model
    assert [replace(entry, made="") for entry in Journal(path).active()] == list(held.values())


def test_nothing_is_there_before_the_first_decision(tmp_path):
    journal = Journal(tmp_path / "journal.sqlite")
    assert journal.history() == journal.active() == []
    assert not list(tmp_path.iterdir())


def test_times_are_utc_and_in_order(journal):
    times = [entry.made for entry in journal.history()]
    assert times == sorted(times)
    assert all(time.endswith("+00:00") for time in times)


def test_an_undo_is_a_row_more_and_nothing_is_ever_taken_away(journal):
    assert [entry.number for entry in journal.history()] == [1, 2, 3, 4]
    assert journal.history()[3].undoes == 2
    assert [entry.number for entry in journal.active()] == [1, 3]


@pytest.mark.parametrize(
    ("number", "why"),
    [(2, "decision 2 is undone already, by 4"), (4, "there is no decision 4"), (9, "there is no decision 9")],
)
def test_what_does_not_hold_cannot_be_undone(journal, number, why):
    before = journal.path.read_bytes()
    with pytest.raises(InputError) as error:
        journal.append([decision(5), Undo(number)])
    assert error.value.message == why
    assert journal.path.read_bytes() == before


@given(one=decisions(), other=decisions())
def test_the_digest_knows_content_and_number_but_neither_time_nor_note(one, other):
    one, other = replace(one, number=1), replace(other, number=1)
    assert digest([one]) == digest([replace(one, made="now", note="because")])
    assert digest([one]) != digest([replace(one, number=2)])
    assert (digest([one]) == digest([other])) == (replace(one, note="") == replace(other, note=""))


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_of_too_few_sightings_cannot_be_made(kind):
    few = ((Anchor("c", "f", 0, (0, 0, 1, 1)),),) * (LEAST_SUBJECTS[kind] - 1)
    with pytest.raises(ValueError, match=f"{kind} of {len(few)}"):
        Decision(kind, few, ("f", 1) if kind == "split" else None)


def test_it_is_sqlite_with_a_rollback_journal_and_says_whose_it_is(journal):
    with sqlite3.connect(journal.path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"vrid", "big"),)
        assert database.execute("SELECT count(*) FROM journal WHERE kind = 'same'").fetchone() == (3,)
    database.close()
    assert [path.name for path in journal.path.parent.iterdir()] == ["journal.sqlite"]


# Kills, full disks


def start(*words: object) -> subprocess.Popen[bytes]:
    program = Path(__file__).with_name("decider.py")
    return subprocess.Popen([sys.executable, program, *map(str, words)], stdout=subprocess.PIPE, stdin=subprocess.PIPE)


def test_a_killed_writer_loses_nothing_that_it_had_written(tmp_path):
    """Each call of the writer appends three; the number that it has said last is on the disk, and no call is half."""
    journal = Journal(tmp_path / "journal.sqlite")
    for _ in range(5):
        with start("append", journal.path) as writer:
            said = [int(writer.stdout.readline()) for _ in range(4)][-1]
            writer.kill()
            said = max([said, *map(int, writer.stdout.read().split(b"\n")[:-1])])
        found = journal.history()
        assert said <= len(found) <= said + 3
        assert len(found) % 3 == 0


def test_a_write_that_was_killed_half_way_is_rolled_back(journal):
    before = journal.history()
    with start("half", journal.path) as writer:
        assert writer.stdout.readline() == b"half\n"
        writer.send_signal(signal.SIGKILL)
    left = journal.path.with_name("journal.sqlite-journal")
    assert left.stat().st_size > 0, "nothing had reached the file: the test shows nothing"
    assert journal.path.read_bytes().count(b"half of it") > 0
    assert journal.history() == before
    journal.append([decision(5)])
    assert journal.history()[:-1] == before


def test_a_writer_at_work_is_waited_for_then_named(journal):
    with start("hold", journal.path) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(InputError, match="another program has it open"):
            journal.append([decision(5)])
        holder.stdin.close()
    assert len(journal.append([decision(5)])) == 1


def test_a_full_disk_leaves_what_was_there(journal, full_disk):
    before = journal.history()
    with (
        full_disk(journal.path.stat().st_size + 100),
        pytest.raises(StorageError, match=r"journal\.sqlite: cannot be written: ") as error,
    ):
        journal.append([decision(number) for number in range(100)])
    assert str(journal.path.parent) in error.value.hint
    assert journal.history() == before
    assert len(journal.append([decision(5)])) == 1


def test_a_disk_that_is_full_from_the_start_leaves_no_journal(tmp_path, full_disk):
    journal = Journal(tmp_path / "journal.sqlite")
    with full_disk(100), pytest.raises(StorageError, match=r"journal\.sqlite: cannot be written"):
        journal.append([decision()])
    assert not list(tmp_path.iterdir())


def test_a_read_only_folder_is_read_and_not_written(journal, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if shutil.which("mount") is None:
        pytest.skip("needs the command mount")
    done = subprocess.run(["mount", "--bind", journal.path.parent, disk], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the right to mount a file system: {done.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", disk], check=True)
        there = Journal(disk / "journal.sqlite")
        assert there.history() == journal.history()
        with pytest.raises(StorageError, match=r"journal\.sqlite: cannot be written: .*readonly"):
            there.append([decision(5)])
    finally:
        subprocess.run(["umount", disk], check=True)


# Damage


def read_or_error(journal):
    """What is read, or the error that a user would see."""
    try:
        return journal.history()
    except InputError as error:
        return error


def test_a_flipped_bit_is_one_clear_error_and_never_another_history(journal):
    whole, history = journal.path.read_bytes(), journal.history()
    refused = 0
    for place in range(0, len(whole), 11):
        journal.path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        found = read_or_error(journal)
        if isinstance(found, InputError):
            refused += 1
            assert str(journal.path) in found.message, place
        else:
            assert found == history, place
    assert refused > 50


def test_a_journal_cut_short_is_damaged_and_stays_as_it_is(journal):
    whole = journal.path.read_bytes()
    for length in [*range(0, len(whole), 500), len(whole) - 1]:
        journal.path.write_bytes(whole[:length])
        for use in (journal.history, lambda: journal.append([decision(5)])):
            with pytest.raises(InputError, match=r"journal\.sqlite: damaged"):
                use()
        assert journal.path.read_bytes() == whole[:length]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET body = replace(body, '1.5', '9.5') WHERE number = 1",
        "UPDATE journal SET kind = 'different' WHERE number = 3",
        "UPDATE journal SET made = '' WHERE number = 1",
        "DELETE FROM journal WHERE number = 2",
        "PRAGMA application_id = 1",
    ],
)
def test_a_row_that_is_not_as_it_was_written_is_refused(journal, change):
    with sqlite3.connect(journal.path) as database:
        database.execute(change)
    database.close()
    with pytest.raises(InputError, match="damaged"):
        journal.history()


def test_a_journal_of_a_newer_format_is_left_alone(journal):
    with sqlite3.connect(journal.path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    before = journal.path.read_bytes()
    for use in (journal.history, lambda: journal.append([decision(5)])):
        with pytest.raises(InputError, match="a journal of format 2, this program reads up to 1") as error:
            use()
        assert "upgrade" in error.value.hint
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"these are no decisions\n", os.urandom(5000)])
def test_what_is_no_journal_is_named(tmp_path, content):
    (tmp_path / "journal.sqlite").write_bytes(content)
    with pytest.raises(InputError, match="damaged, or not a journal"):
        Journal(tmp_path / "journal.sqlite").history()


def test_active_of_a_history_is_what_was_not_undone():
    history = [replace(decision(), number=1), replace(decision(), number=2), Undo(1, 3)]
    assert [entry.number for entry in active(history)] == [2]
