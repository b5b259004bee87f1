-- What an administrator runs once in the database that enrichment writes to, where the app may not make its tables.
-- Before: put the name of the app's managed identity in the place of [reactive-ingestion], and one line of GRANT for
-- each table that METRICS_TABLES names in the place of the one for Trades. It may be run again: nothing is lost.

IF OBJECT_ID('dbo.enrichment_pipeline_metrics', 'U') IS NULL
CREATE TABLE dbo.enrichment_pipeline_metrics (
  table_key nvarchar(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
  run_id nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  entry bigint NOT NULL,
  rows_count_delta bigint NOT NULL,
  ingestion_date date NOT NULL,
  ingestion_time time(0) NOT NULL,
  all_ingested_rows bigint NOT NULL,
  window_id nvarchar(100),
  kind nvarchar(16) NOT NULL,
  verdict nvarchar(16) NOT NULL,
  limit_floor bigint NOT NULL,
  limit_low float(53),
  limit_high float(53),
  limit_median float(53),
  limit_based_on int NOT NULL,
  alert nvarchar(16) NOT NULL,
  measured_at datetime2(6) NOT NULL,
  CONSTRAINT enrichment_pipeline_metrics_key PRIMARY KEY (table_key, run_id),
  CONSTRAINT enrichment_pipeline_metrics_entry UNIQUE (table_key, entry)
);
GO

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
GO

IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = 'reactive-ingestion')
CREATE USER [reactive-ingestion] FROM EXTERNAL PROVIDER;
GO

-- What is measured is read. The lakehouse makes both tables at its first run: grant this after it.
GRANT SELECT ON OBJECT::dbo.Trades TO [reactive-ingestion];
GRANT SELECT ON OBJECT::dbo.window_counts TO [reactive-ingestion];
-- What is recorded is added and settled, never deleted.
GRANT SELECT, INSERT, UPDATE ON OBJECT::dbo.enrichment_pipeline_metrics TO [reactive-ingestion];
GRANT SELECT, INSERT, UPDATE ON OBJECT::dbo.enrichment_alerts TO [reactive-ingestion];
GO
