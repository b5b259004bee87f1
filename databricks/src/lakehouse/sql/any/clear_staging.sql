DELETE FROM "Trades_staging" WHERE "batch" = ?
