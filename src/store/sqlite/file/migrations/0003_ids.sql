-- Up to which seq the day's index of ids is complete; see days.ts. A Shiplog that does not know
-- this file would look for ids where they are not.
ALTER TABLE days ADD COLUMN ids_through INTEGER NOT NULL DEFAULT 0;
