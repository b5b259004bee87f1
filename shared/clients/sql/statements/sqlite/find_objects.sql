SELECT COUNT(*) FROM sqlite_master WHERE type IN ('table', 'view') AND name COLLATE NOCASE IN (?, ?)
