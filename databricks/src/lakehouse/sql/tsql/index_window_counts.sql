IF NOT EXISTS (
  SELECT 1 FROM sys.indexes WHERE name = 'window_counts_of_stage' AND object_id = OBJECT_ID('dbo.window_counts')
)
CREATE INDEX "window_counts_of_stage" ON "window_counts" ("stream", "stage", "name") INCLUDE ("rows");
