MERGE INTO "Trades" WITH (HOLDLOCK) AS t
USING (
  SELECT DISTINCT
    "id", "name", "symbol", "exchange", "quote", "direction",
    "price", "volume", "timestamp", "explorer", "marketCapUsd", "maxSupply",
    "rank", "changePercent24Hr", "volumeUsd24Hr", "vwap24Hr", "venue", "market",
    "trade_id", "window_id"
  FROM "Trades_staging"
  WHERE "batch" = ?
) AS s
ON t."venue" = s."venue" AND t."market" = s."market" AND t."trade_id" = s."trade_id"
WHEN MATCHED THEN UPDATE SET
  t."id" = s."id", t."name" = s."name", t."symbol" = s."symbol",
  t."exchange" = s."exchange", t."quote" = s."quote", t."direction" = s."direction",
  t."price" = s."price", t."volume" = s."volume", t."timestamp" = s."timestamp",
  t."explorer" = s."explorer", t."marketCapUsd" = s."marketCapUsd", t."maxSupply" = s."maxSupply",
  t."rank" = s."rank", t."changePercent24Hr" = s."changePercent24Hr", t."volumeUsd24Hr" = s."volumeUsd24Hr",
  t."vwap24Hr" = s."vwap24Hr", t."window_id" = s."window_id"
WHEN NOT MATCHED THEN INSERT (
  "id", "name", "symbol", "exchange", "quote", "direction",
  "price", "volume", "timestamp", "explorer", "marketCapUsd", "maxSupply",
  "rank", "changePercent24Hr", "volumeUsd24Hr", "vwap24Hr", "venue", "market",
  "trade_id", "window_id"
) VALUES (
  s."id", s."name", s."symbol", s."exchange", s."quote", s."direction",
  s."price", s."volume", s."timestamp", s."explorer", s."marketCapUsd", s."maxSupply",
  s."rank", s."changePercent24Hr", s."volumeUsd24Hr", s."vwap24Hr", s."venue", s."market",
  s."trade_id", s."window_id"
);
