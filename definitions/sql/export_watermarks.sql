-- What an administrator runs once in the database of the web shop's orders, where Data Factory's pipeline process_data
-- copies them to the lake. Before: put the name of the factory, whose managed identity logs in, in the place of
-- [data-factory-name]. The app makes orders and items with its first rows: run this after it. It may be run again.

IF OBJECT_ID('dbo.export_watermarks', 'U') IS NULL
CREATE TABLE dbo.export_watermarks (
  pipeline NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL,
  position BINARY(8) NOT NULL,
  moved_at DATETIME2(6) NOT NULL,
  CONSTRAINT export_watermarks_key PRIMARY KEY (pipeline)
);
GO

IF NOT EXISTS (SELECT 1 FROM dbo.export_watermarks WHERE pipeline = 'process_data')
INSERT INTO dbo.export_watermarks (pipeline, position, moved_at) VALUES ('process_data', 0x0000000000000000, SYSUTCDATETIME());
GO

-- Moves on only from where the copy began: of two runs at once the second one moves nothing, and neither goes back.
CREATE OR ALTER PROCEDURE dbo.move_export_watermark
  @pipeline NVARCHAR(128), @after_number BIGINT, @to_number BIGINT
AS
UPDATE dbo.export_watermarks
SET position = CAST(@to_number AS BINARY(8)), moved_at = SYSUTCDATETIME()
WHERE pipeline = @pipeline AND position = CAST(@after_number AS BINARY(8));
GO

IF NOT EXISTS (SELECT 1 FROM sys.database_principals WHERE name = 'data-factory-name')
CREATE USER [data-factory-name] FROM EXTERNAL PROVIDER;
GO

GRANT SELECT ON OBJECT::dbo.orders TO [data-factory-name];
GRANT SELECT ON OBJECT::dbo.items TO [data-factory-name];
GRANT SELECT ON OBJECT::dbo.export_watermarks TO [data-factory-name];
GRANT EXECUTE ON OBJECT::dbo.move_export_watermark TO [data-factory-name];
GO
