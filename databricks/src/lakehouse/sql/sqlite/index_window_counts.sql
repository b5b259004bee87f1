CREATE INDEX IF NOT EXISTS "window_counts_of_stage" ON "window_counts" ("stream", "stage", "name", "rows")
