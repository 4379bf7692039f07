SELECT t.view, t.id, t.created_at, t.key FROM tasks t
WHERE alive() AND t.seq > 0
  AND t.key IN (SELECT r.task FROM runs r WHERE (r.host >= ? AND r.host < ?))
  AND t.key IN (SELECT rowid FROM task_words WHERE task_words MATCH ?)
AND (t.created_at <= ? AND (t.created_at < ? OR t.key < ?))
ORDER BY t.created_at DESC, t.key DESC LIMIT ?
-- ["web-","web-􏿿","(\"release\") NOT (\"draft\")",5000,5000,3,51]
