-- Join partitions: a key belongs to partition key mod join_partitions, for ever. What several joiners rest on:
-- 1. Whoever takes records or labels of a partition, or numbers its rows, holds the partition's row of progress until its transaction ends. So a key's records, labels and repetitions are judged by one transaction after the other, as with one
--    joiner; counts need no other lock; and a partition's rows have numbers without gaps: partition * 2^48 + 0, 1, ... A partition is behind or ahead of the others by itself: labels_seen is its own.
-- 2. A window is of one partition and of consecutive numbers: (first >> 48) is its partition. Windows are numbered over all partitions. Who makes windows takes row -1 of progress last and keeps it until its transaction ends: so windows have
--    numbers without gaps, and one can be seen only when all before it can.
-- 3. Locks are taken in this order: one partition's row, its labels and records, row -1. Maintenance, which needs all rows, takes them from the highest down. Who holds row -1 waits for nobody.
-- Partition 0's numbers are those that rows had before: a store of an earlier version is one of one partition.
ALTER TABLE {schema}.settings ADD COLUMN join_partitions integer NOT NULL DEFAULT 1;
ALTER TABLE {schema}.progress ADD COLUMN join_partition integer NOT NULL DEFAULT 0;
INSERT INTO {schema}.progress (join_partition, windows) SELECT -1, p.windows FROM {schema}.progress p;
UPDATE {schema}.progress SET windows = 0 WHERE join_partition = 0;
ALTER TABLE {schema}.progress ADD PRIMARY KEY (join_partition);

-- Drops the partitions that ended before these moments, and counts what was in them that nobody had used.
-- Counting takes time, so that it comes first, beside those who read and write other partitions. Then each table is locked before its partitions are, in the order in which all others come by: as long as that lock is waited for,
-- or held, nobody reads or writes the table. So it is waited for once, a second at most; a table that is being read, as each claim does, is left to the next call, and so is a partition whose window a worker has.
CREATE OR REPLACE FUNCTION {schema}.drop_partitions(records_before timestamptz, joined_before timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    part record;
    share integer;
    parent_name text;
    unused bigint := 0;
    in_part bigint;
    first_number bigint;
    last_number bigint;
    is_held boolean;
    dropped_parts integer := 0;
    before text := current_setting('lock_timeout');
BEGIN
    -- Joiners take turns for this; one that takes so long is not waited for.
    BEGIN
        PERFORM set_config('lock_timeout', '60s', true);
        PERFORM FROM {schema}.progress p ORDER BY p.join_partition DESC FOR UPDATE;
    EXCEPTION WHEN lock_not_available THEN
        PERFORM set_config('lock_timeout', before, true);
        RETURN 0;
    END;
    PERFORM set_config('lock_timeout', before, true);
    -- Windows first and tables then: a worker has its window before it reads the rows, and the two would wait for each other.
    FOR part IN SELECT * FROM {schema}.partitions p WHERE p.parent = 'joined' AND p.upper <= joined_before ORDER BY p.upper LOOP
        is_held := false;
        FOR share IN SELECT p.join_partition FROM {schema}.progress p WHERE p.join_partition >= 0 ORDER BY p.join_partition LOOP
            first_number := share::bigint << 48;
            EXECUTE format('SELECT max(number) FROM {schema}.%I WHERE number >= $1 AND number < $2', part.name) INTO last_number
                USING first_number, (share::bigint + 1::bigint) << 48;
            CONTINUE WHEN last_number IS NULL;
            WITH gone AS (
                UPDATE {schema}.windows w SET dropped = true
                WHERE w.number IN (SELECT o.number FROM {schema}.windows o WHERE o.completed IS NULL AND NOT o.dropped AND o.first >= first_number AND o.first <= last_number FOR UPDATE SKIP LOCKED)
                RETURNING w.rows
            )
            UPDATE {schema}.progress SET
                dropped_rows = dropped_rows + (SELECT coalesce(sum(gone.rows), 0::bigint) FROM gone) + greatest(0::bigint, last_number - first_number + 1::bigint - windowed),
                windowed = greatest(windowed, last_number - first_number + 1::bigint)
            WHERE join_partition = share;
            -- A worker that has a window of it may not have read the rows yet.
            is_held := is_held OR EXISTS (SELECT FROM {schema}.windows w WHERE w.completed IS NULL AND NOT w.dropped AND w.first >= first_number AND w.first <= last_number);
        END LOOP;
        IF is_held THEN
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
                UPDATE {schema}.progress SET dropped_records = dropped_records + unused WHERE join_partition = 0;
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
