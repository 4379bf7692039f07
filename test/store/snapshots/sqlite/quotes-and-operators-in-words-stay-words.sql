SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM words_20261124 w CROSS JOIN events_20261124 e ON e.seq = w.rowid CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND words_20261124 MATCH ?
ORDER BY e.at ASC, e.seq ASC LIMIT ?
-- ["\"a or b\" AND \"near x\" AND \"not\"",51]
