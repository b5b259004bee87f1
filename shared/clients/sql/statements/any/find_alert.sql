SELECT alert_id, table_key, name, kind, cause, body, created_at, attempts FROM enrichment_alerts
WHERE alert_id = ?
