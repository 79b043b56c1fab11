using System.Globalization;
using System.Reflection;
using Microsoft.ML.ForwardSampling.Selection;

namespace Microsoft.ML.ForwardSampling.Tests.Selection;

/// <summary>A policy is a class, a page, a row of the table, a test class and a line in the benchmark; what pages state about options is
/// what the code does.</summary>
public sealed class PolicyDocsTests
{
    public static TheoryData<Type> Types => PolicyCases.AllTypes;

    [Theory, MemberData(nameof(Types))]
    public void Policy_HasAPageATestClassAndABenchmark(Type type)
    {
        Assert.True(File.Exists(PolicyPage.Path(type)), $"{type.Name} has no page {PolicyPage.Path(type)}.");
        Assert.True(
            typeof(PolicyDocsTests).Assembly.GetType($"{typeof(PolicyDocsTests).Namespace}.{type.Name}Tests") is not null,
            $"{type.Name} has no test class {type.Name}Tests.");
        string bench = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "bench", "SelectionBench.cs"));
        Assert.True(bench.Contains($"new {type.Name}()", StringComparison.Ordinal), $"{type.Name} is not in bench/SelectionBench.cs.");
    }

    [Fact]
    public void Index_ListsEveryPolicyWithItsNeedsAndWhetherItIsUnbiased()
    {
        string index = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "policies", "index.md"));
        string[] listed = [.. MarkdownTable.Parse(index).Select(row => $"{row["Policy"]} | {row["Needs"]} | {row["Unbiased"]}")];
        string[] expected = [.. PolicyCases.Types.Select(Describe)];

        Assert.Equal(expected, listed.Order(StringComparer.Ordinal));

        static string Describe(Type type)
        {
            var policy = (IRowSelectionPolicy)Activator.CreateInstance(type)!;
            string needs = policy.Needs == RecordStatistics.None ? "nothing" : policy.Needs.ToString();
            return $"[{policy.Name}]({PolicyPage.FileName(type)}) | {needs} | {(policy.IsUnbiased ? "yes" : "no")}";
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Page_OptionsTable_HasEveryOptionWithItsDefault(Type type)
    {
        PolicyPage page = PolicyPage.Of(type);
        object policy = Activator.CreateInstance(type)!;
        PropertyInfo[] options = [.. PolicyCases.Options(type)];

        Assert.Equal(options.Select(option => option.Name).Order(), page.Options.Order());
        foreach (PropertyInfo option in options)
        {
            object value = option.GetValue(policy)!;
            string text = value switch
            {
                bool flag => flag ? "true" : "false",
                IRowSelectionPolicy inner => inner.GetType().Name,
                _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
            };
            Assert.Equal(text, page.Default(option.Name));
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void Page_StatesNeedsAndUnbiasednessAsTheCodeDoes(Type type)
    {
        var policy = (IRowSelectionPolicy)Activator.CreateInstance(type)!;
        string facts = PolicyPage.Of(type).Text;

        Assert.Contains($"- **Needs:** {(policy.Needs == RecordStatistics.None ? "nothing" : policy.Needs)}", facts,
            StringComparison.Ordinal);
        Assert.Contains($"- **Unbiased:** {(policy.IsUnbiased ? "yes" : "no")}", facts, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Types))]
    public void Page_HasTheSectionsOfAPolicyPage(Type type)
    {
        string[] sections = ["## Rule", "## When to use it", "## When not to", "## Use", "## Options", "## Evidence", "## Counters",
            "## Do and don't", "## Source"];
        string[] headings = [.. PolicyPage.Of(type).Text.Split('\n').Where(line => line.StartsWith("## ", StringComparison.Ordinal))];

        Assert.Equal(sections, headings);
    }

    [Theory, MemberData(nameof(Types))]
    public void Page_Code_IsTheSnippetThatRuns(Type type)
    {
        string name = Path.GetFileNameWithoutExtension(PolicyPage.FileName(type));
        string source = File.ReadAllText(Path.Combine(
            RepositoryFolder.Root, "test", "Microsoft.ML.ForwardSampling.Tests", "Selection", "PolicySnippets.cs"));
        string region = Between(source, $"#region {name}\n", "        #endregion");
        string code = Between(PolicyPage.Of(type).Section("## Use")!, "```csharp\n", "```");

        Assert.Equal(string.Join('\n', region.Split('\n').Select(line => line.Length > 8 ? line[8..] : "")), code);

        static string Between(string text, string start, string end)
        {
            int from = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
            Assert.True(from >= start.Length, $"'{start.Trim()}' not found.");
            return text[from..text.IndexOf(end, from, StringComparison.Ordinal)];
        }
    }

    [Fact]
    public void Index_ErrorTable_IsWhatThePoliciesDo()
    {
        // The table's own description: 200 windows of 640 rows, 64 chosen, seeds 0 to 199; within a twentieth.
        string index = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "policies", "index.md"));
        var stated = MarkdownTable.Parse(index[index.IndexOf("## How far", StringComparison.Ordinal)..]);
        IRowSelectionPolicy[] policies =
        [
            new UniformPolicy(), new MeanMatchingPolicy(), new MeanMatchingPolicy { Refinement = MeanMatchingRefinement.Stride },
                new LossStratifiedPolicy(),
            new SelectiveBackpropPolicy(), new TopLossPolicy(), new BottomLossPolicy(), new GradientNormPolicy(),
                new BalancedGradientNormPolicy(), new CubePolicy(),
            new InfoBatchPolicy(), new UniformFloorPolicy(), new ReducibleLossPolicy(), new GroupBudgetPolicy(),
                new WeightCapPolicy { MaximumWeight = 2 },
        ];

        Assert.Equal(policies.Length, stated.Count);
        foreach ((IRowSelectionPolicy policy, IReadOnlyDictionary<string, string> row) in policies.Zip(stated))
        {
            Assert.StartsWith(policy.Name, row["Policy"], StringComparison.Ordinal);
            (double loss, double gradient, double share) = Errors(policy);
            AssertNear(loss, row["Mean loss"], policy);
            AssertNear(gradient, row["Mean signed gradient"], policy);
            AssertNear(share, row["Share of one class"], policy);
        }

        static (double Loss, double Gradient, double Share) Errors(IRowSelectionPolicy policy)
        {
            var sums = new double[3];
            for (int seed = 0; seed < 200; seed++)
            {
                WindowData data = WindowData.Distinct(640, seed);
                Choice choice = Choice.Of(policy, data, 64, seed);
                double[] errors =
                [
                    SelectionDiagnostics.LossResidual(data.Loss, choice.Rows, choice.Weights),
                    SelectionDiagnostics.LossResidual(SignedGradient(data), choice.Rows, choice.Weights),
                    SelectionDiagnostics.LossResidual([.. data.Label.Select(label => label == 2 ? 1f : 0f)], choice.Rows, choice.Weights),
                ];
                for (int i = 0; i < 3; i++)
                    sums[i] += errors[i] * errors[i];
            }

            return (Math.Sqrt(sums[0] / 200), Math.Sqrt(sums[1] / 200), Math.Sqrt(sums[2] / 200));
        }
    }

    [Fact]
    public void Index_VarianceTable_IsWhatTheUnbiasedPoliciesDo()
    {
        // The table's own description: 20 windows of 640 rows, 64 chosen, 200 draws of each; within a twentieth.
        string index = File.ReadAllText(Path.Combine(RepositoryFolder.Root, "docs", "policies", "index.md"));
        var stated = MarkdownTable.Parse(index[index.IndexOf("## Variance", StringComparison.Ordinal)..]);
        IRowSelectionPolicy[] policies =
        [
            new UniformPolicy(), new LossStratifiedPolicy(), new InfoBatchPolicy(), new GradientNormPolicy(),
                new BalancedGradientNormPolicy(), new CubePolicy(),
            new CubePolicy { BalanceMargin = true }, new UniformFloorPolicy { Inner = new GradientNormPolicy() },
            new GroupBudgetPolicy(), new GroupBudgetPolicy { Inner = new UniformPolicy() },
                new GroupBudgetPolicy { Inner = new UniformPolicy(), Allocation = GroupAllocation.Even },
        ];
        SoftmaxWindow[] windows = [.. Enumerable.Range(0, 20).Select(seed => SoftmaxWindow.Of(640, seed))];

        Assert.All(policies, policy => Assert.True(policy.IsUnbiased));
        // three with options, and UniformFloor around another policy than its default
        Assert.Equal(PolicyCases.Types.Select(type => (IRowSelectionPolicy)Activator.CreateInstance(type)!)
            .Count(policy => policy.IsUnbiased) + 3, policies.Length);
        Assert.Equal(policies.Length, stated.Count);
        (double Loss, double Gradient) uniform = Variances(policies[0], windows);
        foreach ((IRowSelectionPolicy policy, IReadOnlyDictionary<string, string> row) in policies.Zip(stated))
        {
            Assert.StartsWith(policy.Name, row["Policy"], StringComparison.Ordinal);
            (double loss, double gradient) = Variances(policy, windows);
            AssertNear(loss / uniform.Loss, row["Weighted mean loss"], policy);
            AssertNear(gradient / uniform.Gradient, row["Weighted mean gradient"], policy);
        }

        static (double Loss, double Gradient) Variances(IRowSelectionPolicy policy, SoftmaxWindow[] windows)
        {
            var selector = new RowSelector(policy, 3);
            double loss = 0, gradient = 0;
            foreach (SoftmaxWindow window in windows)
            {
                for (int draw = 0; draw < 200; draw++)
                {
                    Choice choice = Choice.Of(selector, window.Data, 64);
                    double error = SelectionDiagnostics.LossResidual(window.Data.Loss, choice.Rows, choice.Weights);
                    loss += error * error;
                    gradient += window.SquaredGradientError(choice);
                }
            }

            return (loss, gradient);
        }
    }

    private static void AssertNear(double measured, string stated, IRowSelectionPolicy policy)
    {
        double value = double.Parse(stated, CultureInfo.InvariantCulture);
        Assert.True(Math.Abs(measured / value - 1) < 0.05, $"{policy.Name}: the page states {stated}, measured {measured:G3}.");
    }

    // A gradient's component has either sign: the norm with a sign that no policy can know.
    private static float[] SignedGradient(WindowData data)
    {
        var random = new RepeatableRandom(99);
        return [.. data.GradientNorm.Select(norm => random.NextInt(2) == 0 ? norm : -norm)];
    }
}
