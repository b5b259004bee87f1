SELECT COUNT(DISTINCT name) FROM sys.objects
WHERE type IN ('U', 'V') AND schema_id IN (SCHEMA_ID(), SCHEMA_ID('dbo')) AND name IN (?, ?)
