-- Who may do what in the database: run by grants.sh as its Entra administrator. It may be run again: nothing is lost.
-- A user is made of the client id of an identity, so that nobody has to look into the directory for it.
-- Variables of sqlcmd: app, app_client_id, lakehouse, lakehouse_client_id, factory, factory_client_id.

DECLARE @users TABLE (name SYSNAME, client_id UNIQUEIDENTIFIER);
INSERT INTO @users VALUES
  (N'$(app)', '$(app_client_id)'), (N'$(lakehouse)', '$(lakehouse_client_id)'), (N'$(factory)', '$(factory_client_id)');

DECLARE @statements NVARCHAR(MAX) = (
  SELECT STRING_AGG(
    N'CREATE USER ' + QUOTENAME(name) + N' WITH SID = ' + CONVERT(NVARCHAR(64), CAST(client_id AS VARBINARY(16)), 1)
      + N', TYPE = E;', N'')
  FROM @users
  WHERE name NOT IN (SELECT name FROM sys.database_principals)
);
EXEC (@statements);
GO

-- The app makes its own tables (measurements, alerts, streams that go to the database) and reads those of the lakehouse.
GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, REFERENCES ON SCHEMA::dbo TO [$(app)];
GRANT CREATE TABLE TO [$(app)];

-- The lakehouse makes the tables that its pipelines publish, and window_counts.
GRANT SELECT, INSERT, UPDATE, DELETE, ALTER, REFERENCES ON SCHEMA::dbo TO [$(lakehouse)];
GRANT CREATE TABLE TO [$(lakehouse)];

-- The factory's rights are in definitions/sql/export_watermarks.sql, which grants.sh runs next.
GO
