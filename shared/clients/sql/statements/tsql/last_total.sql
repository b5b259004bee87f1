SELECT all_ingested_rows FROM enrichment_pipeline_metrics
WHERE table_key = ? AND kind = ?
ORDER BY entry DESC
OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY
