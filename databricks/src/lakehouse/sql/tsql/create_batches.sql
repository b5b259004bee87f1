IF OBJECT_ID('dbo.batches', 'U') IS NULL
CREATE TABLE "batches" (
  "batch" nvarchar(200) NOT NULL PRIMARY KEY,
  "written_at" datetime2(6) NOT NULL
);
