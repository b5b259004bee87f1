SELECT rows_count_delta FROM enrichment_pipeline_metrics
WHERE table_key = ? AND kind = ? AND verdict IN ('first', 'normal')
ORDER BY entry DESC
LIMIT ?
