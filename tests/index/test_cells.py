"""Large segments: their codes are searched by cells, whose nearest ones hold the nearest rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_vector_index import clustered_vectors

from semantik.config.settings import IndexSettings
from semantik.index.engines import binary_quantization as codes
from semantik.index.engines import cells, code_search
from semantik.index.engines.protocol import EngineSegment
from semantik.index.files.durable import Damaged
from semantik.index.segments.merge import calibrate
from semantik.index.vectors import scoring
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import Picked

ROWS = 20_000
VECTORS = clustered_vectors(ROWS, 96)


@pytest.fixture(autouse=True)
def small_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "MIN_ROWS", 10_000)
    monkeypatch.setattr(cells, "_ROWS_PER_CELL", 200)
    monkeypatch.setattr(code_search, "COMPARED", 8)


def all_rows(vectors: NDArray[np.float16] = VECTORS) -> Rows:
    return Rows(np.arange(len(vectors)), vectors, np.ones(len(vectors), np.bool_))


def built(folder: Path, rows: Rows) -> codes.BinaryCodes:
    codes.build(folder / codes.FILE, rows.vectors, IndexSettings())
    return codes.load(folder / codes.FILE, rows)


def nearest(
    rows: Rows, finder: codes.BinaryCodes, row: int, usable: NDArray[np.bool_], effort: int = 200
) -> list[int]:
    """The ten nearest usable rows to a row, by the engine and exact scores."""
    query = rows.vectors[row].astype(np.float64)
    [proposed] = codes.propose([EngineSegment(finder, effort, usable)], query, 10)
    assert proposed is not None and usable[proposed].all()
    best = scoring.nearest([Picked(rows, proposed)], query, 10)
    return best.seqs[np.argsort(-best.scores)][:10].tolist()


def truly_nearest(rows: Rows, row: int, usable: NDArray[np.bool_]) -> set[int]:
    scores = rows.vectors.astype(np.float32) @ rows.vectors[row].astype(np.float32)
    scores[~usable] = -2
    return set(np.argsort(-scores)[:10].tolist())


def test_each_row_is_in_one_cell_and_that_is_the_nearest() -> None:
    made = cells.build(VECTORS)
    assert sorted(made.order.tolist()) == list(range(ROWS))
    assert len(made.centres) == ROWS // 200 and (made.starts[0], made.starts[-1]) == (0, ROWS)
    for cell in (0, 17, 99):
        rows = made.order[made.starts[cell] : made.starts[cell + 1]]
        scores = VECTORS[rows].astype(np.float32) @ made.centres.T
        assert (scores.argmax(axis=1) == cell).all()


def test_the_same_vectors_get_the_same_file(tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        built(tmp_path / name, all_rows())
        files.append((tmp_path / name / codes.FILE).read_bytes())
    assert files[0] == files[1]


def test_equal_vectors_fill_one_cell_and_are_found(tmp_path: Path) -> None:
    rows = all_rows(np.repeat(VECTORS[:1], ROWS, axis=0))
    assert len(nearest(rows, built(tmp_path, rows), 0, rows.live)) == 10


def test_calibration_reaches_its_target_and_few_rows_are_compared(tmp_path: Path) -> None:
    rows = all_rows()
    finder = built(tmp_path, rows)
    effort, recall = calibrate(codes, finder, rows, 0.95)
    assert effort and recall >= 0.95
    [first, *_] = cells.nearest([cells.build(VECTORS)], VECTORS[5].astype(np.float32), 1000)
    assert 1000 <= sum(each.stop - each.start for each in first[0]) < ROWS / 4


def test_where_most_cells_would_be_compared_all_codes_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without cells: the same rows are proposed, also where some are not usable."""
    rows = all_rows()
    usable = rows.seqs % 3 > 0
    finders = [built(tmp_path, rows)]
    with monkeypatch.context() as context:
        context.setattr(cells, "MIN_ROWS", ROWS + 1)
        (tmp_path / "without").mkdir()
        finders.append(built(tmp_path / "without", rows))
    monkeypatch.setattr(code_search, "COMPARED", ROWS // 200)
    assert finders[0].cells is not None and finders[1].cells is None
    for row in range(0, ROWS, 4000):
        query = VECTORS[row].astype(np.float64)
        for mask in (rows.live, usable):
            found = [codes.propose([EngineSegment(each, 200, mask)], query, 10) for each in finders]
            [first], [second] = found
            assert first is not None and second is not None and len(second) >= 200
            assert set(first.tolist()) == set(second.tolist())


def test_a_filter_and_deletions_are_exact_whichever_cells_they_leave(tmp_path: Path) -> None:
    """Also where the usable rows are those farthest from the query, so that the nearest cells have none: `nearest`
    asserts that only usable rows are proposed. Among those far away, codes tell less, with and without cells."""
    rows = all_rows()
    finder = built(tmp_path, rows)
    effort, _ = calibrate(codes, finder, rows, 0.95)
    hits = 0
    for row in range(0, 3000, 100):
        order = np.argsort(-(VECTORS.astype(np.float32) @ VECTORS[row].astype(np.float32)))
        for kept in (order[: ROWS // 2], order[::2], order[ROWS // 2 :]):
            usable = np.zeros(ROWS, np.bool_)
            usable[kept] = True
            found = nearest(rows, finder, row, usable, effort)
            assert len(found) == 10
            hits += len(truly_nearest(rows, row, usable) & set(found)) if kept[0] == row else 0
    assert hits >= 0.9 * 10 * 2 * 30


def test_rows_that_are_all_deleted_while_they_are_searched_give_nothing(tmp_path: Path) -> None:
    class DeletedOnceCounted(np.ndarray[tuple[int], np.dtype[np.bool_]]):
        def __getitem__(self, key: object) -> object:
            return np.zeros(ROWS, np.bool_)[key]

    rows = all_rows()
    usable = np.ones(ROWS, np.bool_).view(DeletedOnceCounted)
    usable[ROWS - 1] = False  # one was deleted before
    its_part = EngineSegment(built(tmp_path, rows), 200, usable)
    [found] = codes.propose([its_part], VECTORS[0].astype(np.float64), 10)
    assert found is not None and len(found) == 0


@pytest.mark.parametrize(("name", "value"), [("MIN_ROWS", ROWS + 1), ("_ROWS_PER_CELL", 1000)])
def test_a_file_with_other_cells_or_none_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    """As earlier versions wrote them."""
    rows = all_rows()
    with monkeypatch.context() as context:
        context.setattr(cells, name, value)
        codes.build(tmp_path / codes.FILE, rows.vectors, IndexSettings())
    finder = codes.load(tmp_path / codes.FILE, rows)
    assert (None if finder.cells is None else len(finder.cells.centres)) == (None if value > ROWS else 20)
    assert 7 in nearest(rows, finder, 7, rows.live)


def test_a_file_of_another_size_is_damaged(tmp_path: Path) -> None:
    built(tmp_path, all_rows())
    with pytest.raises(Damaged, match="of other vectors"):
        codes.load(tmp_path / codes.FILE, all_rows(VECTORS[:-1]))
