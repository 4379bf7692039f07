SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM events_20261124 e INDEXED BY events_20261124_at CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.task = ?
  AND e.host IN (?)
  AND e.at >= ?
  AND e.at < ?
ORDER BY e.at ASC, e.seq ASC LIMIT ?
-- [7,"web-1",60000,61000,51]
