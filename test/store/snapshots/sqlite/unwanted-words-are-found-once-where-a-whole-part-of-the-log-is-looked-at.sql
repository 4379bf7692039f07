SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM events_20261124 e NOT INDEXED CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.seq >= ?
  AND e.seq <= ?
  AND e.seq NOT IN (SELECT w.rowid FROM words_20261124 w WHERE alive()
  AND words_20261124 MATCH ?
  AND w.rowid >= CAST(? AS INTEGER)
  AND w.rowid <= CAST(? AS INTEGER))
ORDER BY e.at DESC, e.seq DESC LIMIT ?
-- [1024,2047,"\"refused\"",1024,2047,51]
