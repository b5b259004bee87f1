-- What an administrator runs once in the database that enrichment writes to, where the app may not make its tables.
-- Before: put the name of the app's managed identity in the place of [reactive-ingestion], and one line of GRANT for
-- each table that METRICS_TABLES names in the place of the one for Trades. It may be run again: nothing is lost.

IF OBJECT_ID('dbo.enrichment_pipeline_metrics', 'U') IS NULL
CREATE TABLE dbo.enrichment_pipeline_metrics (
  table_key NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
  run_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  entry BIGINT NOT NULL,
  rows_count_delta BIGINT NOT NULL,
  ingestion_date DATE NOT NULL,
  ingestion_time TIME(0) NOT NULL,
  all_ingested_rows BIGINT NOT NULL,
  window_id NVARCHAR(100) NULL,
  kind NVARCHAR(16) NOT NULL,
  verdict NVARCHAR(16) NOT NULL,
  limit_floor BIGINT NOT NULL,
  limit_low FLOAT(53) NULL,
  limit_high FLOAT(53) NULL,
  limit_median FLOAT(53) NULL,
  limit_based_on INTEGER NOT NULL,
  alert NVARCHAR(16) NOT NULL,
  measured_at DATETIME2(6) NOT NULL,
  CONSTRAINT enrichment_pipeline_metrics_key PRIMARY KEY (table_key, run_id),
  CONSTRAINT enrichment_pipeline_metrics_entry UNIQUE (table_key, entry)
);
GO

IF OBJECT_ID('dbo.enrichment_alerts', 'U') IS NULL
CREATE TABLE dbo.enrichment_alerts (
  alert_id NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  table_key NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
  run_id NVARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  name NVARCHAR(128) NOT NULL,
  kind NVARCHAR(16) NOT NULL,
  cause NVARCHAR(32) NOT NULL,
  body NVARCHAR(max) NOT NULL,
  created_at DATETIME2(6) NOT NULL,
  state NVARCHAR(16) NOT NULL,
  next_try_at DATETIME2(6) NOT NULL,
  leased_until DATETIME2(6) NULL,
  attempts INTEGER NOT NULL,
  sent_at DATETIME2(6) NULL,
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
