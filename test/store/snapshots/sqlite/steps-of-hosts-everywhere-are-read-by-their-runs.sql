SELECT r.task, r.host, r.state, t.id, t.state, t.over, s.name, s.duration, s.run, s.name FROM steps s CROSS JOIN runs r ON r.key = s.run CROSS JOIN tasks t ON t.key = s.task
WHERE alive() AND (s.task, s.run) IN (SELECT hr.task, hr.key FROM runs hr WHERE ((hr.host >= ? AND hr.host < ?) OR hr.host IN (?)))
  AND s.duration >= ?
ORDER BY s.duration DESC, s.run ASC, s.name ASC LIMIT ?
-- ["db-","db-􏿿","web-1",10,51]
