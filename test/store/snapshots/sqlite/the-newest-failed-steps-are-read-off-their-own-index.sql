SELECT r.task, r.host, r.state, t.id, t.state, t.over, s.name, s.started_at, s.run, s.name FROM steps s INDEXED BY steps_failed CROSS JOIN runs r ON r.key = s.run CROSS JOIN tasks t ON t.key = s.task
WHERE alive() AND s.status IN (?, ?)
  AND s.error_code = ?
  AND s.fingerprint IS NOT NULL
ORDER BY s.started_at DESC, s.run ASC, s.name ASC LIMIT ?
-- [3,5,"E_IO",51]
