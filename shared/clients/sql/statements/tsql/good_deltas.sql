SELECT rows_count_delta FROM enrichment_pipeline_metrics
WHERE table_key = ? AND kind = ? AND verdict IN ('first', 'normal')
ORDER BY entry DESC
OFFSET 0 ROWS FETCH NEXT ? ROWS ONLY
