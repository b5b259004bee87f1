INSERT INTO "window_counts" ("window_id", "stream", "stage", "name", "rows", "updated_at")
VALUES (?, ?, ?, ?, ?, ?)
