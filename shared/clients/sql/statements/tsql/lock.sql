SET NOCOUNT ON;
DECLARE @resource nvarchar(255) = ?, @patience int = ?, @answer int;
-- A table must be read first: else no transaction is open yet that could own the lock.
SELECT @answer = COUNT(*) FROM sys.objects WHERE object_id = 0;
EXEC @answer = sp_getapplock
  @Resource = @resource, @LockMode = 'Exclusive', @LockOwner = 'Transaction', @LockTimeout = @patience;
SELECT @answer;
