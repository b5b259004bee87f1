SELECT COUNT(*) FROM "Trades" WHERE "window_id" = ?
