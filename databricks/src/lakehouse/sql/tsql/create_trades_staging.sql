IF OBJECT_ID('dbo.Trades_staging', 'U') IS NULL
CREATE TABLE "Trades_staging" (
  "id" nvarchar(128),
  "name" nvarchar(200),
  "symbol" nvarchar(64),
  "exchange" nvarchar(32),
  "quote" nvarchar(64),
  "direction" nvarchar(8),
  "price" decimal(38, 18),
  "volume" decimal(38, 18),
  "timestamp" datetime2(6),
  "explorer" nvarchar(400),
  "marketCapUsd" decimal(38, 18),
  "maxSupply" decimal(38, 18),
  "rank" bigint,
  "changePercent24Hr" decimal(38, 18),
  "volumeUsd24Hr" decimal(38, 18),
  "vwap24Hr" decimal(38, 18),
  "venue" nvarchar(32) NOT NULL,
  "market" nvarchar(64) NOT NULL,
  "trade_id" bigint NOT NULL,
  "window_id" nvarchar(64) NOT NULL,
  "batch" nvarchar(200) NOT NULL
);
