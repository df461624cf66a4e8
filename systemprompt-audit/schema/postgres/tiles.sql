-- The Merkle tree of each log, as far as it will not change any more: 256 neighbouring hashes of every
-- eighth level, one after the other. Those of level 0 are leaf hashes. `root` is the root over them and
-- one hash of a tile of the next level.
CREATE TABLE audit_tiles (
    log_id BIGINT NOT NULL,  -- audit_logs.id
    level  BIGINT NOT NULL,  -- counted in tiles
    idx    BIGINT NOT NULL,  -- 0, 1, 2, ... in each level
    root   BYTEA  NOT NULL,
    hashes BYTEA  NOT NULL
);

CREATE UNIQUE INDEX audit_tiles_position ON audit_tiles (log_id, level, idx);
