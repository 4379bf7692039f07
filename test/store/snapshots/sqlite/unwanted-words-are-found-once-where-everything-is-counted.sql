SELECT count(*) FROM (SELECT 1 FROM events_20261124 e INDEXED BY events_20261124_task CROSS JOIN tasks t ON t.key = e.task
WHERE alive()
  AND e.task = ?
  AND e.seq NOT IN (SELECT w.rowid FROM words_20261124 w WHERE alive()
  AND words_20261124 MATCH ?
  AND w.rowid >= CAST(? AS INTEGER)
  AND w.rowid <= CAST(? AS INTEGER))
LIMIT ?)
-- [7,"\"refused\"",100,900,10001]
