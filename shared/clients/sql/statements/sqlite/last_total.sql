SELECT all_ingested_rows FROM enrichment_pipeline_metrics
WHERE table_key = ? AND kind = ?
ORDER BY entry DESC
LIMIT 1
