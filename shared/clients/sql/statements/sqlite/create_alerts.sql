CREATE TABLE IF NOT EXISTS enrichment_alerts (
  alert_id TEXT NOT NULL PRIMARY KEY,
  table_key TEXT NOT NULL,
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  cause TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at TEXT NOT NULL,
  state TEXT NOT NULL,
  next_try_at TEXT NOT NULL,
  leased_until TEXT,
  attempts INTEGER NOT NULL,
  sent_at TEXT
)
