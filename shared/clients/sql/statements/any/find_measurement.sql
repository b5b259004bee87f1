SELECT
  table_key, run_id, rows_count_delta, ingestion_date, ingestion_time, all_ingested_rows, window_id, verdict,
  limit_floor, limit_low, limit_high, limit_median, limit_based_on, alert, measured_at
FROM enrichment_pipeline_metrics
WHERE table_key = ? AND run_id = ?
