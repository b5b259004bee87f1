INSERT INTO enrichment_alerts (
  alert_id, table_key, run_id, name, kind, cause, body, created_at, state, next_try_at, attempts
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?, 0)
