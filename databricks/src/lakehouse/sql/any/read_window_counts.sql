SELECT "stage", "name", "rows" FROM "window_counts" WHERE "window_id" = ? AND "stream" = ?
