INSERT INTO "Trades" (
  "id", "name", "symbol", "exchange", "quote", "direction",
  "price", "volume", "timestamp", "explorer", "marketCapUsd", "maxSupply",
  "rank", "changePercent24Hr", "volumeUsd24Hr", "vwap24Hr", "venue", "market",
  "trade_id", "window_id"
)
SELECT DISTINCT
  "id", "name", "symbol", "exchange", "quote", "direction",
  "price", "volume", "timestamp", "explorer", "marketCapUsd", "maxSupply",
  "rank", "changePercent24Hr", "volumeUsd24Hr", "vwap24Hr", "venue", "market",
  "trade_id", "window_id"
FROM "Trades_staging"
WHERE "batch" = ?
ON CONFLICT ("venue", "market", "trade_id") DO UPDATE SET
  "id" = excluded."id", "name" = excluded."name", "symbol" = excluded."symbol",
  "exchange" = excluded."exchange", "quote" = excluded."quote", "direction" = excluded."direction",
  "price" = excluded."price", "volume" = excluded."volume", "timestamp" = excluded."timestamp",
  "explorer" = excluded."explorer", "marketCapUsd" = excluded."marketCapUsd", "maxSupply" = excluded."maxSupply",
  "rank" = excluded."rank", "changePercent24Hr" = excluded."changePercent24Hr", "volumeUsd24Hr" = excluded."volumeUsd24Hr",
  "vwap24Hr" = excluded."vwap24Hr", "window_id" = excluded."window_id"
