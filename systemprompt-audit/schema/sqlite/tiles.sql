-- The Merkle tree of each log, as far as it will not change any more: 256 neighbouring hashes of every
-- eighth level, one after the other. Those of level 0 are leaf hashes. `root` is the root over them and
-- one hash of a tile of the next level.
CREATE TABLE audit_tiles (
    log_id INTEGER NOT NULL,  -- audit_logs.id
    level  INTEGER NOT NULL,  -- counted in tiles
    idx    INTEGER NOT NULL,  -- 0, 1, 2, ... in each level
    root   BLOB    NOT NULL,
    hashes BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX audit_tiles_position ON audit_tiles (log_id, level, idx);

-- Events about keys, which verification begins with. There are few of them.
CREATE INDEX audit_events_keys ON audit_events (log_id, seq)
    WHERE kind IN ('audit_key_added', 'audit_key_retired');
