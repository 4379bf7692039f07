SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM words_20261124 w CROSS JOIN events_20261124 e ON e.seq = w.rowid CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND words_20261124 MATCH ?
  AND w.rowid >= CAST(? AS INTEGER)
  AND w.rowid <= CAST(? AS INTEGER)
  AND e.task = ?
AND w.rowid > CAST(? AS INTEGER)
ORDER BY w.rowid ASC LIMIT ?
-- ["\"refused\"",100,900,7,500,51]
