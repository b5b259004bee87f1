INSERT INTO "batches" ("batch", "written_at") VALUES (?, ?)
