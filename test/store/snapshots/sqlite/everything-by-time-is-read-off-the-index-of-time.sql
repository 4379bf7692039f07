SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM events_20261124 e INDEXED BY events_20261124_at CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND (e.host >= ? AND e.host < ?)
  AND e.at >= ?
  AND e.at < ?
AND (e.at <= ? AND (e.at < ? OR e.seq < ?))
ORDER BY e.at DESC, e.seq DESC LIMIT ?
-- ["web-","web-􏿿",1000,2000,1500,1500,42,51]
