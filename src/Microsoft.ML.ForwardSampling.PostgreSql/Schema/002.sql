-- Labels stored up to this were looked at by a finished join; those that found no record wait for its time to be over.
ALTER TABLE {schema}.progress ADD COLUMN labels_seen timestamptz NOT NULL DEFAULT to_timestamp(0);
