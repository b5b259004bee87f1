SELECT alert_id FROM enrichment_alerts
WHERE state = 'pending' AND next_try_at <= ? AND (leased_until IS NULL OR leased_until <= ?)
ORDER BY next_try_at, alert_id
