UPDATE enrichment_alerts SET leased_until = ?, attempts = attempts + 1
WHERE alert_id = ? AND state = 'pending' AND (leased_until IS NULL OR leased_until <= ?)
