using Microsoft.ML.ForwardSampling.Records;

namespace Microsoft.ML.ForwardSampling.PostgreSql;

/// <summary>The statements of the join. The names of schema and columns are the library's own; values are parameters.</summary>
internal sealed class JoinSql
{
    /// <summary>Records or labels that one transaction of the join looks at, about.</summary>
    public const int SliceRows = 50_000;

    /// <summary>Plans for the transaction. A slice is looked up through the indexes, however little the server knows of partitions that are new: without this it reads them whole.</summary>
    public const string Plan = """
        SELECT set_config(name, value, true) FROM (VALUES ('enable_seqscan', 'off'), ('enable_hashjoin', 'off'), ('enable_mergejoin', 'off'), ('jit', 'off'), ('work_mem', '64MB')) s (name, value)
        """;

    /// <summary>Lets one joiner in at a time; the others wait.</summary>
    public readonly string Lock;

    /// <summary>Time up to which the next slice of waiting labels goes; NULL when there is none. $1: after; $2: up to at most.</summary>
    public readonly string NextLabels;

    /// <summary>Time up to which the next slice of records goes whose wait is over; NULL when there is none. $1: up to at most.</summary>
    public readonly string NextWaited;

    /// <summary>Joins the records of a slice of labels. $1, $2: after, up to; $3: time between label and record at most; $4: default label; $5: the wait, beyond which JoinWaited takes the records and whose partitions need no look.</summary>
    public readonly string JoinLabelled;

    /// <summary>Joins the records of a slice whose wait is over. $1: up to; $2, $3: as $3, $4 above.</summary>
    public readonly string JoinWaited;

    /// <summary>Takes away the labels of a slice whose row is given out already. $1, $2: after, up to.</summary>
    public readonly string DropLate;

    /// <summary>Takes away the labels that waited too long. $1: how long.</summary>
    public readonly string DropOrphans;

    /// <summary>Makes the windows that are full. $1: rows; $2: whether to close a short one.</summary>
    public readonly string MakeWindows;

    public JoinSql(string schema, RecordKind kind, DuplicateLabels rule)
    {
        Lock = $"SELECT FROM {schema}.progress FOR UPDATE";
        NextLabels = $"SELECT max(stored) FROM (SELECT stored FROM {schema}.labels WHERE stored > $1 AND stored <= $2 ORDER BY stored LIMIT {SliceRows}) slice";
        NextWaited = $"SELECT max(stored) FROM (SELECT stored FROM {schema}.records WHERE stored <= $1 ORDER BY stored LIMIT {SliceRows}) slice";
        JoinLabelled = Join(
            $"DELETE FROM {schema}.records r USING {schema}.labels l WHERE l.stored > $1 AND l.stored <= $2 AND r.key = l.key AND l.known BETWEEN r.scored - $3 AND r.scored + $3 AND r.stored > now() - $5", schema, kind, rule, "$3", "$4");
        JoinWaited = Join($"DELETE FROM {schema}.records r WHERE r.stored <= $1", schema, kind, rule, "$2", "$3");
        // Not EXISTS: that is turned round into a search for each joined row, and here labels are few.
        string isLate = $"coalesce((SELECT true FROM {schema}.joined j WHERE j.key = l.key LIMIT 1), false)";
        DropLate = $"""
            WITH late AS (DELETE FROM {schema}.labels l WHERE l.stored > $1 AND l.stored <= $2 AND {isLate} RETURNING 1)
            UPDATE {schema}.progress SET late_labels = late_labels + (SELECT count(*) FROM late)
            """;
        DropOrphans = $"""
            WITH gone AS (DELETE FROM {schema}.labels l WHERE l.stored < now() - $1 RETURNING {isLate} AS late)
            UPDATE {schema}.progress SET late_labels = late_labels + (SELECT count(*) FROM gone WHERE late), orphan_labels = orphan_labels + (SELECT count(*) FROM gone WHERE NOT late)
            """;
        MakeWindows = $"""
            WITH made AS (
                INSERT INTO {schema}.windows (number, first, rows, sealed)
                SELECT p.windows + i, p.windowed + (i * $1), least($1, p.joined - p.windowed - (i * $1)), now()
                FROM {schema}.progress p, generate_series(0, ((p.joined - p.windowed + CASE WHEN $2 THEN $1 - 1 ELSE 0 END) / $1) - 1) i
                RETURNING rows
            )
            UPDATE {schema}.progress SET windows = windows + (SELECT count(*) FROM made), windowed = windowed + (SELECT coalesce(sum(rows), 0) FROM made)
            """;
    }

    /// <summary>Takes records, gives each its label, puts those that have a good one behind the joined rows, and counts all.</summary>
    private static string Join(string take, string schema, RecordKind kind, DuplicateLabels rule, string apart, string defaultLabel)
    {
        (string label, string order) = rule switch
        {
            DuplicateLabels.First => ("l.label", "ORDER BY l.stored, l.known, l.label LIMIT 1"),
            DuplicateLabels.Last => ("l.label", "ORDER BY l.stored DESC, l.known DESC, l.label DESC LIMIT 1"),
            DuplicateLabels.Sum => (Single("sum(l.label::float8 ORDER BY l.known, l.label)"), ""),
            _ => (Single("avg(l.label::float8 ORDER BY l.known, l.label)"), ""),
        };
        string fits = kind switch
        {
            RecordKind.Regression => "t.label NOT IN ('NaN', 'Infinity', '-Infinity')",
            RecordKind.Binary => "t.label IN (0, 1)",
            _ => "t.label >= 0 AND t.label < t.classes AND t.label = floor(t.label)",
        };
        string near = $"l.known BETWEEN t.scored - {apart} AND t.scored + {apart}";
        return $"""
            WITH taken AS (
                {take} RETURNING r.*
            ), labelled AS (
                SELECT t.*, coalesce(came.label, {defaultLabel}) AS label, came.label IS NULL AS is_default
                FROM taken t CROSS JOIN LATERAL (SELECT (SELECT {label} FROM {schema}.labels l WHERE l.key = t.key AND {near} {order}) AS label) came
            ), judged AS (
                SELECT t.*, {fits} AS fits,
                    row_number() OVER (PARTITION BY t.key ORDER BY t.stored, t.scored, t.is_default) > 1 OR EXISTS (SELECT FROM {schema}.joined j WHERE j.key = t.key) AS again
                FROM labelled t
            ), good AS (
                SELECT g.*, row_number() OVER (ORDER BY g.scored, g.key) AS place FROM judged g WHERE NOT g.again AND g.label IS NOT NULL AND g.fits
            ), put AS (
                INSERT INTO {schema}.joined (sealed, number, key, scored, model_version, label, classes, keeping, is_default, body)
                SELECT now(), p.joined + g.place - 1, g.key, g.scored, g.model_version, g.label, coalesce(g.classes, 0), g.keeping, g.is_default, g.body FROM good g, {schema}.progress p
            ), used AS (
                DELETE FROM {schema}.labels l USING taken t WHERE l.key = t.key AND {near}
            ), counts AS (
                SELECT (SELECT count(*) FROM good) AS joined, (SELECT count(*) FROM good WHERE is_default) AS defaulted, count(*) FILTER (WHERE again) AS again, count(*) FILTER (WHERE NOT again AND label IS NULL) AS expired,
                    count(*) FILTER (WHERE NOT again AND label IS NOT NULL AND NOT fits) AS voided FROM judged
            )
            UPDATE {schema}.progress p SET joined = p.joined + c.joined, defaulted = p.defaulted + c.defaulted, duplicate_records = p.duplicate_records + c.again, expired = p.expired + c.expired, voided = p.voided + c.voided
            FROM counts c
            """;
    }

    /// <summary>A double as a Single; beyond its range infinite, and not an error.</summary>
    private static string Single(string value) => $"CASE WHEN abs({value}) > 3.4028235e38 THEN 'Infinity'::real ELSE ({value})::real END";
}
