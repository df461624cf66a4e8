-- Whom the events are about, where they are kept encrypted: a pseudonym, which stands in `user_id` of the
-- events, the person, and the data key that opens the events, encrypted by a key from outside of the
-- database. Deleting a row erases the person from every event.
CREATE TABLE audit_subjects (
    pseudonym   TEXT    NOT NULL,
    tenant_id   TEXT    NOT NULL,
    user_id     TEXT    NOT NULL,
    department  TEXT    NOT NULL,  -- empty when there is none
    wrapped_key TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL
);

CREATE UNIQUE INDEX audit_subjects_pseudonym ON audit_subjects (pseudonym);
CREATE UNIQUE INDEX audit_subjects_person ON audit_subjects (user_id, tenant_id, department);

-- What the planner would keep of a sample of the rows outlives them.
ALTER TABLE audit_subjects ALTER COLUMN pseudonym SET STATISTICS 0, ALTER COLUMN tenant_id SET STATISTICS 0,
    ALTER COLUMN user_id SET STATISTICS 0, ALTER COLUMN department SET STATISTICS 0,
    ALTER COLUMN wrapped_key SET STATISTICS 0;
