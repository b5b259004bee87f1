IF NOT EXISTS (SELECT 1 FROM sys.indexes WHERE name = 'trades_of_window' AND object_id = OBJECT_ID('dbo.Trades'))
CREATE INDEX "trades_of_window" ON "Trades" ("window_id");
