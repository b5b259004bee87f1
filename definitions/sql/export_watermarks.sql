-- What an administrator runs in the database of the web shop's orders, where Data Factory's pipeline process_data copies
-- them to the lake; `azd deploy` runs it too (infra/hooks/grants.sh). Before: put the name of the factory, whose managed
-- identity logs in, in the place of [data-factory-name]. The app makes orders and items with its first rows: run this again
-- when they are there, and nothing is lost.

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

IF OBJECT_ID('dbo.orders', 'U') IS NULL OR OBJECT_ID('dbo.items', 'U') IS NULL
PRINT 'orders or items is not there yet: run this again when the app has made them.';
ELSE
BEGIN
  GRANT SELECT ON OBJECT::dbo.orders TO [data-factory-name];
  GRANT SELECT ON OBJECT::dbo.items TO [data-factory-name];
END;
GO

GRANT SELECT ON OBJECT::dbo.export_watermarks TO [data-factory-name];
GRANT EXECUTE ON OBJECT::dbo.move_export_watermark TO [data-factory-name];
GO
