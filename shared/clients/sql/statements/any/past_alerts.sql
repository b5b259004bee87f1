SELECT cause, MAX(created_at) FROM enrichment_alerts WHERE table_key = ? GROUP BY cause
