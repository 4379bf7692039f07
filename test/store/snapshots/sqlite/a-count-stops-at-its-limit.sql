SELECT count(*) FROM (SELECT 1 FROM events_20261124 e INDEXED BY events_20261124_at CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.source = ?
LIMIT ?)
-- ["agent/1",10001]
