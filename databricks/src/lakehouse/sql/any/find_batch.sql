SELECT COUNT(*) FROM "batches" WHERE "batch" = ?
