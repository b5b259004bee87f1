SELECT COUNT_BIG(*) FROM {table} AS measured WHERE measured.window_id = ?
