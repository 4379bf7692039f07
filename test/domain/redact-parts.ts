/** Pieces of which texts with and without secrets are made at random. */
import fc from 'fast-check';

export const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-_';

export const part = fc.constantFrom(
  ...['password', '--token', 'authorization', 'Bearer', 'secret_x', 'mysql -p', 'curl -u a:'],
  ...['=', ':', ': ', ' ', '"', "'", '\\', '\\"', '\n', ',', '{', '}', '[', ']', '[redacted]'],
  ...['://', '@', 'a', '-', '&', '?', '>', '|', JWT, 'shp_a_bcdefgh', 'AKIAIOSFODNN7EXAMPLE'],
  ...['-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', 'x1', 'hunter2hunter2'],
);
