-- Drops the partitions that ended before these moments, and counts what was in them that nobody had used.
-- Counting takes time, so that it comes first, beside those who read and write other partitions. Then each table is locked before its partitions are, in the order in which all others come by: as long as that lock is waited for,
-- or held, nobody reads or writes the table. So it is waited for once, a second at most; a table that is being read, as each claim does, is left to the next call, and so is a partition whose window a worker has.
CREATE OR REPLACE FUNCTION {schema}.drop_partitions(records_before timestamptz, joined_before timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    part record;
    parent_name text;
    unused bigint := 0;
    in_part bigint;
    last_number bigint;
    dropped_parts integer := 0;
    before text := current_setting('lock_timeout');
BEGIN
    -- Joiners take turns for this; one that takes so long is not waited for.
    BEGIN
        PERFORM set_config('lock_timeout', '60s', true);
        PERFORM FROM {schema}.progress FOR UPDATE;
    EXCEPTION WHEN lock_not_available THEN
        PERFORM set_config('lock_timeout', before, true);
        RETURN 0;
    END;
    PERFORM set_config('lock_timeout', before, true);
    -- Windows first and tables then: a worker has its window before it reads the rows, and the two would wait for each other.
    FOR part IN SELECT * FROM {schema}.partitions p WHERE p.parent = 'joined' AND p.upper <= joined_before ORDER BY p.upper LOOP
        EXECUTE format('SELECT max(number) FROM {schema}.%I', part.name) INTO last_number;
        WITH gone AS (
            UPDATE {schema}.windows w SET dropped = true
            WHERE w.number IN (SELECT o.number FROM {schema}.windows o WHERE o.completed IS NULL AND NOT o.dropped AND o.first <= last_number FOR UPDATE SKIP LOCKED)
            RETURNING w.rows
        )
        UPDATE {schema}.progress SET
            dropped_rows = dropped_rows + (SELECT coalesce(sum(gone.rows), 0::bigint) FROM gone) + greatest(0::bigint, coalesce(last_number, -1::bigint) + 1::bigint - windowed),
            windowed = greatest(windowed, coalesce(last_number, -1::bigint) + 1::bigint);
        -- A worker that has a window of it may not have read the rows yet.
        IF EXISTS (SELECT FROM {schema}.windows w WHERE w.completed IS NULL AND NOT w.dropped AND w.first <= last_number) THEN
            joined_before := part.lower;
            EXIT;
        END IF;
    END LOOP;
    -- Counted while nothing can be added: somebody who is still writing into one of them would lose that without a count.
    BEGIN
        PERFORM set_config('lock_timeout', '1s', true);
        FOR part IN SELECT * FROM {schema}.partitions p WHERE p.parent = 'records' AND p.upper <= records_before ORDER BY p.upper LOOP
            EXECUTE format('LOCK TABLE {schema}.%I IN SHARE MODE', part.name);
            EXECUTE format('SELECT count(*) FROM {schema}.%I', part.name) INTO in_part;
            unused := unused + in_part;
        END LOOP;
    EXCEPTION WHEN lock_not_available THEN
        records_before := '-infinity';
    END;
    FOREACH parent_name IN ARRAY ARRAY['records', 'joined'] LOOP
        CONTINUE WHEN NOT EXISTS (SELECT FROM {schema}.partitions p WHERE p.parent = parent_name AND p.upper <= CASE parent_name WHEN 'records' THEN records_before ELSE joined_before END);
        BEGIN
            PERFORM set_config('lock_timeout', '1s', true);
            EXECUTE format('LOCK TABLE ONLY {schema}.%I', parent_name);
            FOR part IN SELECT * FROM {schema}.partitions p WHERE p.parent = parent_name AND p.upper <= CASE parent_name WHEN 'records' THEN records_before ELSE joined_before END ORDER BY p.upper LOOP
                EXECUTE format('DROP TABLE {schema}.%I', part.name);
                DELETE FROM {schema}.partitions p WHERE p.name = part.name;
                dropped_parts := dropped_parts + 1;
            END LOOP;
            IF parent_name = 'records' THEN
                UPDATE {schema}.progress SET dropped_records = dropped_records + unused;
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            dropped_parts := dropped_parts;             -- all of this table's are as they were: the next call
        END;
    END LOOP;
    PERFORM set_config('lock_timeout', before, true);
    DELETE FROM {schema}.windows w WHERE (w.completed IS NOT NULL OR w.dropped) AND w.sealed < joined_before;
    DELETE FROM {schema}.writers w WHERE w.seen < records_before;
    RETURN dropped_parts;
END $body$;
