SELECT COUNT(*) FROM {table} AS measured WHERE measured.window_id = ?
