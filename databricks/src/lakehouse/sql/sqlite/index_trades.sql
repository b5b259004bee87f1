CREATE INDEX IF NOT EXISTS "trades_of_window" ON "Trades" ("window_id")
