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
