SELECT r.task, r.host, r.state, t.id, t.state, t.over, s.name, s.started_at, s.run, s.name FROM steps s INDEXED BY steps_started CROSS JOIN runs r ON r.key = s.run CROSS JOIN tasks t ON t.key = s.task
WHERE alive() AND s.status = ?
  AND s.started_at > -9007199254740991
ORDER BY s.started_at DESC, s.run ASC, s.name ASC LIMIT ?
-- [1,51]
