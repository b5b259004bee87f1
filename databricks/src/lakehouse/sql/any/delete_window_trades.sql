DELETE FROM "Trades" WHERE "window_id" = ?
