UPDATE enrichment_pipeline_metrics SET alert = 'sent' WHERE table_key = ? AND run_id = ? AND alert = 'pending'
