SELECT COALESCE(SUM(counted."rows"), 0) FROM window_counts AS counted
WHERE counted.stream = ? AND counted.stage = 'sql' AND counted.name = ''
