-- `views_version` in meta says which fold made the views; without it they are folded anew at the
-- next start. A Shiplog that does not know this file could not read what is folded since.

DELETE FROM meta WHERE key = 'views_version';
