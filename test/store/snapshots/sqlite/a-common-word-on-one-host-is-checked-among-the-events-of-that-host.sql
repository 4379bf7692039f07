SELECT e.seq, e.at, e.received_at, e.kind, e.level, e.status, e.stream, e.attempt, e.sequence, e.host, e.step, e.writer, e.source, e.service, e.environment, e.message, e.labels, e.rest, t.id FROM events_20261124 e INDEXED BY events_20261124_run CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.run IN (SELECT r.key FROM runs r JOIN tasks rt ON rt.key = r.task WHERE r.host IN (?) AND rt.day = ?)
  AND e.host IN (?)
  AND EXISTS (SELECT 1 FROM words_20261124 w WHERE words_20261124 MATCH ? AND w.rowid = e.seq)
ORDER BY e.at DESC, e.seq DESC LIMIT ?
-- ["web-1",20261124,"web-1","\"line\"",51]
