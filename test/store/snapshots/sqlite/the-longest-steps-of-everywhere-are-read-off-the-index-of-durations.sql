SELECT r.task, r.host, r.state, t.id, t.state, t.over, s.name, s.duration, s.run, s.name FROM steps s INDEXED BY steps_duration CROSS JOIN runs r ON r.key = s.run CROSS JOIN tasks t ON t.key = s.task
WHERE alive() AND s.name = ?
  AND s.duration > -9007199254740991
ORDER BY s.duration DESC, s.run ASC, s.name ASC LIMIT ?
-- ["backup",51]
