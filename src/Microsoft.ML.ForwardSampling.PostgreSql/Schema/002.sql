-- Labels stored up to this were looked at by a finished join; those that found no record wait for its time to be over.
ALTER TABLE {schema}.progress ADD COLUMN labels_seen timestamptz NOT NULL DEFAULT to_timestamp(0);

-- Drops the partitions that ended before these moments, and counts what was in them that nobody had used.
-- One that a transaction still reads, be it by way of its parent as each claim does, or whose window a worker has, is left to the next call: waiting for it would hold up all who come later.
CREATE OR REPLACE FUNCTION {schema}.drop_partitions(records_before timestamptz, joined_before timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    part record;
    unused bigint;
    last_number bigint;
    dropped_parts integer := 0;
    before text := current_setting('lock_timeout');
BEGIN
    PERFORM FROM {schema}.progress FOR UPDATE;
    -- Windows first and tables then: a worker has its window before it reads the rows, and the two would wait for each other.
    FOR part IN SELECT * FROM {schema}.partitions p WHERE p.parent = 'joined' AND p.upper <= joined_before ORDER BY p.upper LOOP
        EXECUTE format('SELECT max(number) FROM {schema}.%I', part.name) INTO last_number;
        WITH gone AS (
            UPDATE {schema}.windows w SET dropped = true
            WHERE w.number IN (SELECT o.number FROM {schema}.windows o WHERE o.completed IS NULL AND NOT o.dropped AND o.first <= last_number FOR UPDATE SKIP LOCKED)
            RETURNING w.rows
        )
        UPDATE {schema}.progress SET
            dropped_rows = dropped_rows + (SELECT coalesce(sum(gone.rows), 0) FROM gone) + greatest(0, coalesce(last_number, -1) + 1 - windowed),
            windowed = greatest(windowed, coalesce(last_number, -1) + 1);
        -- A worker that has a window of it may not have read the rows yet.
        IF EXISTS (SELECT FROM {schema}.windows w WHERE w.completed IS NULL AND NOT w.dropped AND w.first <= last_number) THEN
            joined_before := part.lower;
            EXIT;
        END IF;
    END LOOP;
    FOR part IN SELECT * FROM {schema}.partitions p WHERE p.upper <= CASE p.parent WHEN 'records' THEN records_before ELSE joined_before END ORDER BY p.upper LOOP
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            EXECUTE format('LOCK TABLE {schema}.%I', part.name);
            IF part.parent = 'records' THEN
                EXECUTE format('SELECT count(*) FROM {schema}.%I', part.name) INTO unused;
                UPDATE {schema}.progress SET dropped_records = dropped_records + unused;
            END IF;
            EXECUTE format('DROP TABLE {schema}.%I', part.name);
            DELETE FROM {schema}.partitions p WHERE p.name = part.name;
            dropped_parts := dropped_parts + 1;
        EXCEPTION WHEN lock_not_available THEN
            CONTINUE;
        END;
    END LOOP;
    PERFORM set_config('lock_timeout', before, true);
    DELETE FROM {schema}.windows w WHERE (w.completed IS NOT NULL OR w.dropped) AND w.sealed < joined_before;
    DELETE FROM {schema}.writers w WHERE w.seen < records_before;
    RETURN dropped_parts;
END $body$;
