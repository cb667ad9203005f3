import multiprocessing
from pathlib import Path

import pytest

from musespark.errors import StoreUnusable
from musespark.store import Vote, VoteStore, default_votes_path


def test_votes_come_back_by_kind_in_order(tmp_path: Path) -> None:
    votes = [
        Vote("sums", "q1", "a", "4", True),
        Vote("sums", "q1", "b", None, False),
        Vote("sums", "q2", "a", "x"),
    ]
    with VoteStore(tmp_path / "deep" / "votes.db") as store:
        store.add([*votes, Vote("words", "q1", "a", "y", False)])
        assert store.votes("sums") == votes
        assert store.kinds() == ["sums", "words"]
    with VoteStore(tmp_path / "deep" / "votes.db") as again:
        assert again.votes("sums") == votes
        assert again.votes("nothing") == []


def test_the_newest_vote_of_a_model_on_a_question_counts(tmp_path: Path) -> None:
    with VoteStore(tmp_path / "votes.db") as store:
        store.add([Vote("k", "q", "a", "4", False)])
        store.add([Vote("k", "q", "a", "5", True)])
        assert store.votes("k") == [Vote("k", "q", "a", "5", True)]


def test_all_votes_of_a_batch_are_kept_or_none(tmp_path: Path) -> None:
    with VoteStore(tmp_path / "votes.db") as store:
        with pytest.raises(StoreUnusable):
            store.add([Vote("k", "q", "a", "4"), Vote("k", None, "b", "4")])  # type: ignore[arg-type]
        assert store.votes("k") == []
        store.add([Vote("k", "q", "a", "4")])
        assert len(store.votes("k")) == 1


def _add(path: str, process: int) -> None:
    with VoteStore(path) as store:
        for number in range(50):
            store.add([Vote("k", f"{process}-{number}", "a", "x", True)])


def test_several_processes_add_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "votes.db")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add, args=(path, process)) for process in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    with VoteStore(path) as store:
        assert len(store.votes("k")) == 200


@pytest.mark.parametrize(
    "content", [b"no database at all, but a long enough text to look at", None]
)
def test_a_file_that_is_no_store_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "votes.db"
    path.mkdir() if content is None else path.write_bytes(content)
    with pytest.raises(StoreUnusable, match=r"votes\.db"):
        VoteStore(path)


def test_the_place_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_votes_path() == tmp_path / "musespark" / "votes.db"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_votes_path() == tmp_path / ".local/share/musespark/votes.db"
