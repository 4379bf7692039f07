SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM events_20261124 e NOT INDEXED CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.seq >= ?
  AND e.seq <= ?
  AND label_is(e.labels, ?, ?)
ORDER BY e.seq ASC LIMIT ?
-- [11,20,"rack","r1",51]
