CREATE TABLE IF NOT EXISTS "window_counts" (
  "window_id" TEXT NOT NULL,
  "stream" TEXT NOT NULL,
  "stage" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "rows" INTEGER NOT NULL,
  "updated_at" TEXT NOT NULL,
  PRIMARY KEY ("window_id", "stream", "stage", "name")
)
