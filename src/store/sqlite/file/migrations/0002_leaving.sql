-- 1: retention is removing the day, slice by slice. Its tasks take no more events.
ALTER TABLE days ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0;
