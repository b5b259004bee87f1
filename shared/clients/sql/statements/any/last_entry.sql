SELECT COALESCE(MAX(entry), 0) FROM enrichment_pipeline_metrics WHERE table_key = ?
