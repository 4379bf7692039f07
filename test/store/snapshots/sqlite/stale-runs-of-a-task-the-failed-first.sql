SELECT r.task, r.host, r.state, t.id, t.state, t.over, r.status, r.host, r.key FROM runs r CROSS JOIN tasks t ON t.key = r.task
WHERE alive() AND r.base >= 0
  AND r.task = (SELECT key FROM tasks WHERE id = ?)
  AND (r.status = ? AND r.last_event_at < ?)
  AND EXISTS (SELECT 1 FROM steps s WHERE s.task = r.task AND s.run = r.key AND s.name = ?
         AND s.status IN (?, ?))
ORDER BY r.status DESC, r.host DESC, r.key DESC LIMIT ?
-- ["t",1,4000,"backup",3,5,51]
