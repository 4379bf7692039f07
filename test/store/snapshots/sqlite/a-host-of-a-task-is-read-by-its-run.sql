SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM events_20261124 e INDEXED BY events_20261124_run CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.run = (SELECT r.key FROM runs r WHERE r.task = ? AND r.host IN (?))
  AND e.host IN (?)
  AND e.step = ?
ORDER BY e.seq DESC LIMIT ?
-- [7,"web-1","web-1","backup",51]
