UPDATE enrichment_alerts SET next_try_at = ?, leased_until = NULL WHERE alert_id = ? AND state = 'pending'
