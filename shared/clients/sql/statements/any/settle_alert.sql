UPDATE enrichment_alerts SET state = 'sent', sent_at = ?, leased_until = NULL WHERE alert_id = ? AND state = 'pending'
