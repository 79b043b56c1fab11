-- {schema} is the quoted name of the schema, replaced before this runs. Whoever runs it owns what it makes.

CREATE TABLE {schema}.settings (
    kind smallint NOT NULL,                     -- 1 regression, 2 binary, 3 multiclass
    partition_seconds bigint NOT NULL,
    partitions_ahead integer NOT NULL
);

-- One row a writer: its last committed batch. A batch that comes again is recognised here.
CREATE TABLE {schema}.writers (
    writer bigint PRIMARY KEY,
    batch bigint NOT NULL,
    records bigint NOT NULL,
    seen timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- Records that wait for their label. The columns stand in the order that wastes no byte to alignment.
CREATE TABLE {schema}.records (
    stored timestamptz NOT NULL DEFAULT now(),  -- by the server's clock
    key bigint NOT NULL,
    scored timestamptz NOT NULL,
    model_version bigint NOT NULL,
    classes integer,                            -- multiclass only
    keeping smallint NOT NULL,                  -- code of the keeping probability
    body bytea NOT NULL                         -- as in a log, from byte 12
) PARTITION BY RANGE (stored);
CREATE INDEX records_key ON {schema}.records (key);
CREATE INDEX records_stored ON {schema}.records (stored);

-- Labels whose record is not joined yet, or is not there. The same label twice is one label.
CREATE TABLE {schema}.labels (
    key bigint NOT NULL,
    known timestamptz NOT NULL,
    label real NOT NULL,
    stored timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key, known, label)
);
CREATE INDEX labels_stored ON {schema}.labels (stored);

-- Records with their labels, numbered without gaps.
CREATE TABLE {schema}.joined (
    sealed timestamptz NOT NULL,
    number bigint NOT NULL,
    key bigint NOT NULL,
    scored timestamptz NOT NULL,
    model_version bigint NOT NULL,
    label real NOT NULL,
    classes integer NOT NULL,
    keeping smallint NOT NULL,
    is_default boolean NOT NULL,
    body bytea NOT NULL
) PARTITION BY RANGE (sealed);
CREATE INDEX joined_number ON {schema}.joined (number);
CREATE INDEX joined_key ON {schema}.joined (key);

-- Joined rows [first, first + rows), with what a worker selected of them.
CREATE TABLE {schema}.windows (
    number bigint PRIMARY KEY,
    first bigint NOT NULL,
    rows integer NOT NULL,
    sealed timestamptz NOT NULL,
    completed timestamptz,
    dropped boolean NOT NULL DEFAULT false,     -- by retention before any worker completed it
    worker text,
    keys bigint[],
    weights real[]
);
CREATE INDEX windows_open ON {schema}.windows (number) WHERE completed IS NULL AND NOT dropped;

-- One row: how far joining is, and what was counted.
CREATE TABLE {schema}.progress (
    joined bigint NOT NULL DEFAULT 0,           -- rows numbered
    windowed bigint NOT NULL DEFAULT 0,         -- rows in windows
    windows bigint NOT NULL DEFAULT 0,
    defaulted bigint NOT NULL DEFAULT 0,
    expired bigint NOT NULL DEFAULT 0,
    voided bigint NOT NULL DEFAULT 0,
    duplicate_records bigint NOT NULL DEFAULT 0,
    late_labels bigint NOT NULL DEFAULT 0,
    orphan_labels bigint NOT NULL DEFAULT 0,
    dropped_records bigint NOT NULL DEFAULT 0,
    dropped_rows bigint NOT NULL DEFAULT 0
);
INSERT INTO {schema}.progress DEFAULT VALUES;

CREATE TABLE {schema}.partitions (
    name text PRIMARY KEY,
    parent text NOT NULL,
    lower timestamptz NOT NULL,
    upper timestamptz NOT NULL
);

-- Makes the partitions of now and the next intervals that are not there yet. It takes nothing from its caller, so that roles which may only insert can be allowed to call it.
-- ATTACH, and not PARTITION OF, so that those who write meanwhile are not held up.
CREATE FUNCTION {schema}.make_partitions() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $body$
DECLARE
    seconds bigint;
    ahead integer;
    made integer := 0;
    begins timestamptz;
    ends timestamptz;
    parent_name text;
    part_name text;
BEGIN
    SELECT s.partition_seconds, s.partitions_ahead INTO STRICT seconds, ahead FROM {schema}.settings s;
    FOR step IN 0..ahead LOOP
        begins := to_timestamp((floor(extract(epoch FROM now()) / seconds) + step) * seconds);
        ends := to_timestamp((floor(extract(epoch FROM now()) / seconds) + step + 1) * seconds);
        FOREACH parent_name IN ARRAY ARRAY['records', 'joined'] LOOP
            part_name := parent_name || to_char(begins, '_YYYYMMDD_HH24MISS');
            CONTINUE WHEN EXISTS (SELECT FROM {schema}.partitions p WHERE p.name = part_name);
            PERFORM pg_advisory_xact_lock(hashtextextended('{schema}.partitions', 0));
            CONTINUE WHEN EXISTS (SELECT FROM {schema}.partitions p WHERE p.name = part_name);
            EXECUTE format('CREATE TABLE {schema}.%I (LIKE {schema}.%I INCLUDING DEFAULTS)', part_name, parent_name);
            EXECUTE format('ALTER TABLE {schema}.%I ATTACH PARTITION {schema}.%I FOR VALUES FROM (%L) TO (%L)', parent_name, part_name, begins, ends);
            INSERT INTO {schema}.partitions VALUES (part_name, parent_name, begins, ends);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $body$;
REVOKE ALL ON FUNCTION {schema}.make_partitions() FROM PUBLIC;

-- Drops the partitions that ended before these moments, and counts what was in them that nobody had used.
CREATE FUNCTION {schema}.drop_partitions(records_before timestamptz, joined_before timestamptz) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    part record;
    unused bigint;
    last_number bigint;
    dropped_parts integer := 0;
BEGIN
    PERFORM FROM {schema}.progress FOR UPDATE;
    -- Windows first and tables then: a worker has its window before it reads the rows, and the two would wait for each other.
    FOR part IN SELECT * FROM {schema}.partitions p WHERE p.parent = 'joined' AND p.upper <= joined_before ORDER BY p.upper LOOP
        EXECUTE format('SELECT max(number) FROM {schema}.%I', part.name) INTO last_number;
        WITH gone AS (
            UPDATE {schema}.windows w SET dropped = true
            WHERE w.completed IS NULL AND NOT w.dropped AND w.first <= last_number
            RETURNING w.rows
        )
        UPDATE {schema}.progress SET
            dropped_rows = dropped_rows + (SELECT coalesce(sum(gone.rows), 0) FROM gone) + greatest(0, coalesce(last_number, -1) + 1 - windowed),
            windowed = greatest(windowed, coalesce(last_number, -1) + 1);
    END LOOP;
    FOR part IN SELECT * FROM {schema}.partitions p WHERE p.upper <= CASE p.parent WHEN 'records' THEN records_before ELSE joined_before END ORDER BY p.upper LOOP
        EXECUTE format('LOCK TABLE {schema}.%I', part.name);
        IF part.parent = 'records' THEN
            EXECUTE format('SELECT count(*) FROM {schema}.%I', part.name) INTO unused;
            UPDATE {schema}.progress SET dropped_records = dropped_records + unused;
        END IF;
        EXECUTE format('DROP TABLE {schema}.%I', part.name);
        DELETE FROM {schema}.partitions p WHERE p.name = part.name;
        dropped_parts := dropped_parts + 1;
    END LOOP;
    DELETE FROM {schema}.windows w WHERE (w.completed IS NOT NULL OR w.dropped) AND w.sealed < joined_before;
    DELETE FROM {schema}.writers w WHERE w.seen < records_before;
    RETURN dropped_parts;
END $body$;
REVOKE ALL ON FUNCTION {schema}.drop_partitions(timestamptz, timestamptz) FROM PUBLIC;
