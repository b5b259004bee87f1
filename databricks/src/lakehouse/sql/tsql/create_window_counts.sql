IF OBJECT_ID('dbo.window_counts', 'U') IS NULL
CREATE TABLE "window_counts" (
  "window_id" nvarchar(64) NOT NULL,
  "stream" nvarchar(64) NOT NULL,
  "stage" nvarchar(32) NOT NULL,
  "name" nvarchar(128) NOT NULL,
  "rows" bigint NOT NULL,
  "updated_at" datetime2(6) NOT NULL,
  CONSTRAINT "window_counts_key" PRIMARY KEY ("window_id", "stream", "stage", "name")
);
