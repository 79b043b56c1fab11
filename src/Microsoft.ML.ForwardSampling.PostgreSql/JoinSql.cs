using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>The statements of the join of one partition of the keys. The names of schema and columns are the library's own; values are
/// parameters.</summary>
/// <remarks>What several joiners rest on stands in Schema/004.sql: all but <see cref="Take"/> and <see cref="TakeWindows"/> run while the
/// partition's row of progress is held, and <see cref="MakeWindows"/> while row −1 is held too.</remarks>
internal sealed class JoinSql
{
    /// <summary>Rows of partition p have the numbers p · 2^48 and on.</summary>
    private const int NumberBits = 48;

    /// <summary>Records or labels that one transaction of the join looks at, about.</summary>
    public const int SliceRows = 50_000;

    /// <summary>Settings for the transaction. A slice is looked up through the indexes, row by row, however little the server knows of
    /// partitions that are new: without this, or with pages at their price on a disk, it may read all of them for each row.</summary>
    public const string Settings = """
        SELECT set_config(name, value, true) FROM (VALUES ('enable_seqscan', 'off'), ('enable_bitmapscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('enable_material', 'off'), ('random_page_cost', '0.1'), ('jit', 'off'), ('work_mem', '64MB')) s (name, value)
        """;

    /// <summary>What becomes of a record.</summary>
    private const string Good = "1", Again = "2", Expired = "3", Voided = "4";

    /// <summary>Columns of a record that go on to its joined row.</summary>
    private const string Kept = "key, scored, model_version, classes, keeping, body";

    /// <summary>Takes a partition that no other joiner has: none when there is none. $1: those to choose from; $2: the one that is liked
    /// best.</summary>
    public readonly string TakeFree;

    /// <summary>Takes the partition; waits while another joiner has it.</summary>
    public readonly string Take;

    /// <summary>Takes the numbering of windows, which all partitions share: the last lock of a transaction.</summary>
    public readonly string TakeWindows;

    /// <summary>Rows that were numbered so far.</summary>
    public readonly string Numbered;

    /// <summary>Time up to which all labels were looked at.</summary>
    public readonly string LabelsSeen;

    /// <summary>Notes that all labels stored up to $1 were looked at.</summary>
    public readonly string SeeLabels;

    /// <summary>Time up to which the next slice of waiting labels goes; NULL when there is none. $1: after; $2: up to at most.</summary>
    public readonly string NextLabels;

    /// <summary>Time up to which the next slice of records goes whose wait is over; NULL when there is none. $1: up to at most.</summary>
    public readonly string NextWaited;

    /// <summary>Joins the records of a slice of labels, each with its first label. $1, $2: after, up to; $3: time between label and record
    /// at most; $4: the wait, beyond which JoinWaited takes the records and whose partitions need no look; $5: how long before a record was
    /// scored a row of its key counts.</summary>
    public readonly string JoinLabelled;

    /// <summary>Joins the records of a slice whose wait is over. $1: up to; $2: time between label and record at most; $3: default label;
    /// $4: as $5 above.</summary>
    public readonly string JoinWaited;

    /// <summary>Takes away the labels of a slice whose row is given out already. $1, $2: after, up to; $3: how long before a label was
    /// known its row counts.</summary>
    public readonly string DropLate;

    /// <summary>Takes away the labels of a slice, which waited too long. $1, $2: after, up to.</summary>
    public readonly string DropOrphans;

    /// <summary>Makes the windows that are full. $1: rows; $2: whether to close a short one.</summary>
    public readonly string MakeWindows;

    public JoinSql(string schema, RecordKind kind, DuplicateLabels rule, int partition, int partitions)
    {
        string progress = $"{schema}.progress", own = $"join_partition = {partition}";
        TakeFree = $"SELECT join_partition FROM {progress} WHERE join_partition = ANY ($1) ORDER BY join_partition <> $2, join_partition "
            + $"LIMIT 1 FOR UPDATE SKIP LOCKED";
        Take = $"SELECT join_partition FROM {progress} WHERE {own} FOR UPDATE";
        TakeWindows = $"SELECT FROM {progress} WHERE join_partition = -1 FOR UPDATE";
        Numbered = $"SELECT joined FROM {progress} WHERE {own}";
        LabelsSeen = $"SELECT labels_seen FROM {progress} WHERE {own}";
        SeeLabels = $"UPDATE {progress} SET labels_seen = $1 WHERE {own}";
        NextLabels = $"SELECT max(stored) FROM (SELECT stored FROM {schema}.labels l WHERE stored > $1 AND stored <= $2{OfPartition("l")} "
            + $"ORDER BY stored LIMIT {SliceRows}) slice";
        NextWaited = $"SELECT max(stored) FROM (SELECT stored FROM {schema}.records r WHERE stored <= $1{OfPartition("r")} ORDER BY stored "
            + $"LIMIT {SliceRows}) slice";

        // Both tables by their indexes, in whichever order: a slice of its own could only be read whole for each record. The first label
        // may be one that waits since before the slice.
        JoinLabelled = Join(
            schema,
            kind,
            $"""
            taken AS (
                DELETE FROM {schema}.records r USING {schema}.labels l
                WHERE l.stored > $1 AND l.stored <= $2{OfPartition("l")} AND r.key = l.key AND r.scored BETWEEN l.known - $3 AND l.known + $3 AND r.stored > now() - $4 AND r.stored <= statement_timestamp()
                RETURNING r.*, l.ctid AS id
            ), used AS (
                DELETE FROM {schema}.labels WHERE ctid = ANY (ARRAY(SELECT id FROM taken))
            ), labelled AS (
                SELECT DISTINCT ON (key) {Kept}, false AS is_default,
                    (SELECT l.label FROM {schema}.labels l WHERE l.key = t.key AND l.known BETWEEN t.scored - $3 AND t.scored + $3 ORDER BY l.stored, l.known, l.label LIMIT 1) AS label
                FROM taken t ORDER BY key, stored, scored
            )
            """,
            "$5",
            partition);

        string labelled = rule switch
        {
            DuplicateLabels.First => $"SELECT DISTINCT ON (key) {Kept}, label FROM pairs ORDER BY key, came, known, label",
            DuplicateLabels.Last => $"SELECT DISTINCT ON (key) {Kept}, label FROM pairs ORDER BY key, came DESC NULLS LAST, known DESC, "
                + $"label DESC",
            DuplicateLabels.Sum => $"SELECT {Kept}, {Single("sum(label::float8 ORDER BY known, label)")} AS label FROM pairs GROUP BY "
                + $"{Kept}",
            _ => $"SELECT {Kept}, {Single("avg(label::float8 ORDER BY known, label)")} AS label FROM pairs GROUP BY {Kept}",
        };
        JoinWaited = Join(
            schema,
            kind,
            $"""
            taken AS (
                DELETE FROM {schema}.records r WHERE r.stored <= $1{OfPartition("r")} RETURNING r.*
            ), firsts AS MATERIALIZED (
                SELECT DISTINCT ON (key) {Kept} FROM taken ORDER BY key, stored, scored
            ), used AS (
                DELETE FROM {schema}.labels l USING firsts f WHERE l.key = f.key AND l.known BETWEEN f.scored - $2 AND f.scored + $2
                RETURNING f.*, l.label, l.known, l.stored AS came
            ), pairs AS (
                SELECT *, NULL::real AS label, NULL::timestamptz AS known, NULL::timestamptz AS came FROM firsts UNION ALL SELECT * FROM used
            ), labelled AS (
                SELECT {Kept}, label IS NULL AS is_default, coalesce(label, $3) AS label FROM ({labelled}) t
            )
            """,
            "$4",
            partition);

        DropLate = $"""
            WITH late AS (DELETE FROM {schema}.labels l WHERE l.stored > $1 AND l.stored <= $2{OfPartition("l")} AND {GivenOut(schema, "l.key", "l.known - $3")} RETURNING 1)
            UPDATE {progress} SET late_labels = late_labels + (SELECT count(*) FROM late) WHERE {own}
            """;
        DropOrphans = $"""
            WITH gone AS (DELETE FROM {schema}.labels l WHERE l.stored > $1 AND l.stored <= $2{OfPartition("l")} RETURNING {GivenOut(schema, "l.key", "'-infinity'")} AS late)
            UPDATE {progress} SET late_labels = late_labels + (SELECT count(*) FROM gone WHERE late), orphan_labels = orphan_labels + (SELECT count(*) FROM gone WHERE NOT late) WHERE {own}
            """;
        MakeWindows = $"""
            WITH made AS (
                INSERT INTO {schema}.windows (number, first, rows, sealed)
                SELECT w.windows + i, {(long)partition << NumberBits} + p.windowed + (i * $1), least($1, p.joined - p.windowed - (i * $1)), now()
                FROM {progress} w, {progress} p, generate_series(0::bigint, ((p.joined - p.windowed + CASE WHEN $2 THEN $1 - 1 ELSE 0 END) / $1) - 1) i
                WHERE w.join_partition = -1 AND p.{own}
                RETURNING rows
            ), numbered AS (
                UPDATE {progress} SET windows = windows + (SELECT count(*) FROM made) WHERE join_partition = -1
            )
            UPDATE {progress} SET windowed = windowed + (SELECT coalesce(sum(rows), 0) FROM made) WHERE {own}
            """;

        // Written as the index has it (see Divide).
        string OfPartition(string table) => partitions == 1 ? "" : $" AND ({table}.key & {partitions - 1}::bigint) = {partition}";
    }

    /// <summary>What a new store of several partitions needs: their rows, and indexes by partition in place of those by time
    /// alone.</summary>
    public static string Divide(string schema, int partitions) => $"""
        UPDATE {schema}.settings SET join_partitions = {partitions};
        INSERT INTO {schema}.progress (join_partition) SELECT generate_series(1, {partitions - 1});
        DROP INDEX {schema}.labels_stored, {schema}.records_stored;
        CREATE INDEX labels_partition ON {schema}.labels ((key & {partitions - 1}::bigint), stored);
        CREATE INDEX records_partition ON {schema}.records ((key & {partitions - 1}::bigint), stored);
        """;

    /// <summary>Takes records and gives each its label, puts those that have a good one behind the joined rows in the order in which they
    /// were scored, and counts all.</summary>
    /// <param name="schema">The quoted schema.</param>
    /// <param name="kind">What the records are, and so which labels they can have.</param>
    /// <param name="labelled">Defines "taken", all the records, and "labelled", one of each key with its label.</param>
    /// <param name="remembered">Parameter: how long before a record was scored a row of its key counts.</param>
    /// <param name="partition">That of the records.</param>
    private static string Join(string schema, RecordKind kind, string labelled, string remembered, int partition)
    {
        string fits = kind switch
        {
            RecordKind.Regression => "t.label NOT IN ('NaN', 'Infinity', '-Infinity')",
            RecordKind.Binary => "t.label IN (0, 1)",
            _ => "t.label >= 0 AND t.label < t.classes AND t.label = floor(t.label)",
        };
        return $"""
            WITH {labelled}, judged AS (
                SELECT t.*, (CASE WHEN {GivenOut(schema, "t.key", $"t.scored - {remembered}")} THEN {Again} WHEN t.label IS NULL THEN {Expired} WHEN {fits} THEN {Good} ELSE {Voided} END)::smallint AS fate
                FROM labelled t OFFSET 0
            ), numbered AS MATERIALIZED (
                SELECT j.*, count(*) FILTER (WHERE fate = {Good}) OVER (ORDER BY scored, key ROWS UNBOUNDED PRECEDING) - 1 AS place FROM judged j
            ), put AS (
                INSERT INTO {schema}.joined (sealed, number, key, scored, model_version, label, classes, keeping, is_default, body)
                SELECT now(), {(long)partition << NumberBits} + (SELECT joined FROM {schema}.progress WHERE join_partition = {partition}) + place, key, scored, model_version, label, coalesce(classes, 0), keeping, is_default, body FROM numbered WHERE fate = {Good}
            ), counts AS (
                SELECT count(*) FILTER (WHERE fate = {Good}) AS joined, count(*) FILTER (WHERE fate = {Good} AND is_default) AS defaulted, count(*) FILTER (WHERE fate = {Expired}) AS expired,
                    count(*) FILTER (WHERE fate = {Voided}) AS voided, (SELECT count(*) FROM taken) - count(*) FILTER (WHERE fate <> {Again}) AS again FROM numbered
            )
            UPDATE {schema}.progress p SET joined = p.joined + c.joined, defaulted = p.defaulted + c.defaulted, duplicate_records = p.duplicate_records + c.again, expired = p.expired + c.expired, voided = p.voided + c.voided
            FROM counts c WHERE p.join_partition = {partition}
            """;
    }

    /// <summary>Whether a row of a key was given out since a moment. Not EXISTS: the server may turn that round into a reading of all
    /// joined rows.</summary>
    private static string GivenOut(string schema, string key, string since)
        => $"coalesce((SELECT true FROM {schema}.joined g WHERE g.key = {key} AND g.sealed >= {since} LIMIT 1), false)";

    /// <summary>A double as a Single; beyond its range infinite, and not an error.</summary>
    private static string Single(string value) => $"CASE WHEN abs({value}) > 3.4028235e38 THEN 'Infinity'::real ELSE ({value})::real END";
}
