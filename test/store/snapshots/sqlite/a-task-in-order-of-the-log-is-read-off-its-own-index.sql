SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM events_20261124 e INDEXED BY events_20261124_task CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.task = ?
  AND e.kind = ?
AND e.seq > ?
ORDER BY e.seq ASC LIMIT ?
-- [7,1,500,51]
