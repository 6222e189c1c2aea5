"""The writes that the embedded MongoDB does in one transaction, beside those of NeoSQLite alone: the same rows stay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nx_27017.handler import NeoSQLiteHandler

from semantik.storage.embedded_writes import FastWriteHandler

DATABASE = "semantik"
ROW = {
    "_id": "a",
    "path": "/näme “quoted” 'x'",
    "size": 1 << 40,
    "rate": 0.5,
    "missing": False,
    "due": "operation",
    "fence": "0001",
    "title": None,
    "tags": ["x", {"y": [1, None]}],
    "vector": b"\x00\xff" * 20,
}


class Writer:
    """Sends commands to a handler as nx-27017 does, and reads the rows that are stored."""

    def __init__(self, folder: Path, fast: bool) -> None:
        folder.mkdir()
        self.handler = NeoSQLiteHandler(data_dir=str(folder))
        self.delegated: list[str] = []
        for name in ("handle_insert", "handle_command"):
            setattr(self.handler, name, self._noted(getattr(self.handler, name)))
        if fast:
            FastWriteHandler(self.handler)
        self._send("create", {"create": "documents"})

    def _noted(self, handle: Any) -> Any:
        def call(message: dict[str, Any]) -> Any:
            self.delegated.append(next(iter(message["sections"][0][1])))
            return handle(message)

        return call

    def _send(self, kind: str, command: dict[str, Any], **payload: list[dict[str, Any]]) -> dict[str, Any]:
        sections: list[tuple[str, Any]] = [("body", {**command, "$db": DATABASE})]
        sections += [("payload", {name: rows}) for name, rows in payload.items()]
        handle = self.handler.handle_insert if kind == "insert" else self.handler.handle_command
        _, answer = handle({"request_id": 7, "sections": sections})
        return dict(answer)

    def insert(self, *rows: dict[str, Any]) -> dict[str, Any]:
        return self._send("insert", {"insert": "documents", "ordered": True}, documents=list(rows))

    def update(self, *updates: dict[str, Any]) -> dict[str, Any]:
        return self._send("update", {"update": "documents", "ordered": False}, updates=list(updates))

    def rows(self) -> list[dict[str, Any]]:
        answer = self._send("find", {"find": "documents", "filter": {}})
        return sorted(answer["cursor"]["firstBatch"], key=lambda row: str(row["_id"]))


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "fast", True)
    yield writer
    writer.handler.close_all()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "plain", False)
    yield writer
    writer.handler.close_all()


def set_fields(where: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"q": where, "u": {"$set": fields}, "multi": False, "upsert": False}


@pytest.fixture
def both(fast: Writer, plain: Writer) -> list[Writer]:
    for each in (fast, plain):
        each.insert(ROW, {**ROW, "_id": "b"})
    return [fast, plain]


def test_rows_of_all_types_are_stored_as_neosqlite_stores_them(both: list[Writer]) -> None:
    fast, plain = both
    assert fast.rows() == plain.rows()
    assert len(fast.rows()) == 2
    assert "insert" not in fast.delegated


def test_updates_set_fields_of_all_types(both: list[Writer]) -> None:
    fast, plain = both
    for each in both:
        answer = each.update(
            set_fields(
                {"_id": "a", "due": {"$eq": "operation"}, "fence": {"$eq": "0001"}}, due=None, title="“T”"
            ),
            set_fields({"_id": "b"}, tags=[], quality={"ratio": 0.25, "warnings": ["w"]}, rate=1.5, size=3),
        )
        assert (answer["n"], answer["nModified"]) == (2, 2)
    assert fast.rows() == plain.rows()
    assert fast.rows()[0]["due"] is None
    assert "update" not in fast.delegated


def test_a_row_whose_other_fields_do_not_match_stays_as_it_is(both: list[Writer]) -> None:
    fast, plain = both
    before = fast.rows()
    for each in both:
        answer = each.update(
            set_fields({"_id": "a", "fence": {"$eq": "0002"}}, title="late"),
            set_fields({"_id": "b", "due": None}, title="not due"),
            set_fields({"_id": "none"}, title="nothing"),
        )
        assert (answer["n"], answer["nModified"]) == (0, 0)
    assert fast.rows() == plain.rows() == before


def test_a_condition_of_none_holds_where_the_field_is_missing(both: list[Writer]) -> None:
    for each in both:
        assert each.update(set_fields({"_id": "a", "no_such_field": None}, title="x"))["n"] == 1
    assert both[0].rows() == both[1].rows()


def test_a_key_that_is_taken_is_reported_as_neosqlite_does(both: list[Writer]) -> None:
    fast, plain = both
    answers = [each.insert({"_id": "c"}, {"_id": "a"}, {"_id": "d"}) for each in both]
    assert answers[0]["writeErrors"] == answers[1]["writeErrors"]
    assert [row["_id"] for row in fast.rows()] == [row["_id"] for row in plain.rows()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "update",
    [
        {"q": {"_id": "a"}, "u": {"$inc": {"size": 1}}},
        {"q": {"_id": "a"}, "u": {"$set": {"quality.ratio": 1}}},
        {"q": {"path": "/x"}, "u": {"$set": {"size": 1}}},
        {"q": {"_id": "a", "size": {"$gt": 1}}, "u": {"$set": {"size": 1}}},
        {"q": {"_id": "new"}, "u": {"$set": {"size": 1}}, "upsert": True},
        {"q": {"_id": {"$in": ["a", "b"]}}, "u": {"$set": {"size": 1}}, "multi": True},
    ],
)
def test_any_other_update_is_left_to_neosqlite(both: list[Writer], update: dict[str, Any]) -> None:
    fast, plain = both
    assert fast.update(update)["n"] == plain.update(update)["n"]
    assert fast.rows() == plain.rows()
    assert "update" in fast.delegated


def test_an_update_that_fails_leaves_no_row_changed_and_no_transaction_open(both: list[Writer]) -> None:
    fast, _ = both
    connection = fast.handler.get_database(DATABASE).db
    connection.execute("CREATE UNIQUE INDEX one_title ON documents (json_extract(data, '$.title'))")
    answer = fast.update(set_fields({"_id": "a"}, title="same"), set_fields({"_id": "b"}, title="same"))
    assert "update" in fast.delegated
    assert answer["n"] <= 1
    assert not connection.in_transaction
