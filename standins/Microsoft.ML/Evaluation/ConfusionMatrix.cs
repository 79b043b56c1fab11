using System.Text;

namespace Microsoft.ML.Data;

/// <summary>Row counts by true class (first index) and predicted class (second index).</summary>
public sealed class ConfusionMatrix
{
    private readonly string[] _classNames;
    private readonly bool _isBinary;

    internal ConfusionMatrix(double[][] counts, string[] classNames, bool isBinary)
    {
        _classNames = classNames;
        _isBinary = isBinary;
        Counts = counts;
        PerClassRecall = [.. counts.Select((row, i) => Share(row[i], row.Sum()))];
        PerClassPrecision = [.. counts.Select((row, i) => Share(row[i], counts.Sum(other => other[i])))];

        static double Share(double part, double all) => all > 0 ? part / all : 0;
    }

    public IReadOnlyList<double> PerClassPrecision { get; }
    public IReadOnlyList<double> PerClassRecall { get; }
    public IReadOnlyList<IReadOnlyList<double>> Counts { get; }
    public int NumberOfClasses => Counts.Count;

    public double GetCountForClassPair(int predictedClassIndicatorIndex, int actualClassIndicatorIndex)
    {
        const string message = "Invalid index. Should be non-negative, less than the number of classes.";
        Check.Argument((uint)predictedClassIndicatorIndex < Counts.Count, nameof(predictedClassIndicatorIndex), message);
        Check.Argument((uint)actualClassIndicatorIndex < Counts.Count, nameof(actualClassIndicatorIndex), message);
        return Counts[actualClassIndicatorIndex][predictedClassIndicatorIndex];
    }

    public string GetFormattedConfusionTable()
    {
        int width = NumberOfClasses == 2 ? 8 : 5;
        // Names too long for a column head are replaced by class numbers, which the row heads then show too.
        bool numbered = _classNames.Max(name => name.Length) > width;
        string[] heads = [.. _classNames.Select((name, i) => numbered ? $"{i}" : name)];
        string[] rows = [.. _classNames.Select((name, i) => numbered ? $"{i}. {name}" : name)];
        int rowWidth = Math.Max("PREDICTED".Length, rows.Max(row => row.Length));
        string rule = new('=', NumberOfClasses * (width + 3));

        var text = new StringBuilder();
        if (_isBinary)
        {
            double positive = Counts[0].Sum(), negative = Counts[1].Sum();
            text.Append($"TEST {_classNames[0].ToUpper()} RATIO:\t{positive / (positive + negative):N4} ({positive:F1}/({positive:F1}+{negative:F1}))");
        }
        text.AppendLine().AppendLine("Confusion table");
        text.Append("".PadRight(rowWidth)).Append(" ||").AppendLine(rule);
        text.Append("PREDICTED".PadRight(rowWidth)).Append(" ||").AppendJoin("", heads.Select(head => $" {head.PadLeft(width)} |")).AppendLine(" Recall");
        text.Append("TRUTH".PadRight(rowWidth)).Append(" ||").AppendLine(rule);
        for (int i = 0; i < rows.Length; i++)
        {
            text.Append(rows[i].PadLeft(rowWidth)).Append(" ||").AppendJoin("", Counts[i].Select(count => $" {count.ToString("N0").PadLeft(width)} |"));
            text.AppendLine($" {PerClassRecall[i]:F4}");
        }
        text.Append("".PadRight(rowWidth)).Append(" ||").AppendLine(rule);
        text.Append("Precision".PadRight(rowWidth)).Append(" ||").AppendJoin("", PerClassPrecision.Select(p => $"{p.ToString("N4").PadLeft(width + 1)} |")).AppendLine();
        return text.ToString();
    }
}
