SELECT COUNT(*) FROM sys.objects
WHERE type IN ('U', 'V') AND schema_id IN (SCHEMA_ID(), SCHEMA_ID('dbo')) AND name = ?
