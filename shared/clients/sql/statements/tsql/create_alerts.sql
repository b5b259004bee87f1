IF OBJECT_ID('dbo.enrichment_alerts', 'U') IS NULL
CREATE TABLE dbo.enrichment_alerts (
  alert_id nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  table_key nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
  run_id nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  name nvarchar(128) NOT NULL,
  kind nvarchar(16) NOT NULL,
  cause nvarchar(32) NOT NULL,
  body nvarchar(max) NOT NULL,
  created_at datetime2(6) NOT NULL,
  state nvarchar(16) NOT NULL,
  next_try_at datetime2(6) NOT NULL,
  leased_until datetime2(6),
  attempts int NOT NULL,
  sent_at datetime2(6),
  CONSTRAINT enrichment_alerts_key PRIMARY KEY (alert_id)
);
