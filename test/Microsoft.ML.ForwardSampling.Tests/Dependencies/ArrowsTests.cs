using System.Text.RegularExpressions;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.ForwardSampling.Networks;
using Mono.Cecil;
using Mono.Cecil.Rocks;

namespace Microsoft.ML.ForwardSampling.Tests.Dependencies;

/// <summary>Which rooms of the house know which: read from the compiled assembly, so that no arrow runs back unseen. A room is a folder,
/// which is a namespace.</summary>
public partial class ArrowsTests
{
    private const string Root = "Microsoft.ML.ForwardSampling";
    private const string Entrance = "";

    /// <summary>What each room may know, besides the entrance's words (<see cref="PredictionTask"/> and the like) and records.</summary>
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        [Entrance] = ["ForwardPass", "RecordViews", "Selection", "Networks/Model", "Networks/Training", "Networks/Scoring", "GroupTesting",
            "LowMemory", "Onnx", "Saving", "DataViews"],
        ["ForwardPass"] = ["DataViews", "Saving"],
        ["RecordViews"] = ["DataViews"],
        ["Selection"] = ["DataViews"],
        ["Networks/Model"] = ["Selection", "DataViews", "Saving"],
        ["Networks/Scoring"] = ["Networks/Model", "DataViews", "Saving"],
        ["Networks/Training"] = ["Networks/Model", "Networks/Scoring", "Selection", "DataViews"],
        ["GroupTesting"] = ["Networks/Model", "Networks/Training", "Networks/Scoring", "Selection", "DataViews", "Saving"],
        ["LowMemory"] = ["DataViews", "Saving"],
        ["Onnx"] = ["ForwardPass", "Networks/Model", "Networks/Scoring", "GroupTesting", "LowMemory"],
        ["Saving"] = ["DataViews"],
        ["DataViews"] = [],
    };

    /// <summary>The entrance's words, which every room may use.</summary>
    private static readonly string[] s_words = [nameof(PredictionTask), nameof(MulticlassScores), nameof(ForwardColumns)];

    private static readonly Lazy<Dictionary<string, string>> s_rooms = new(FindRooms);

    [Fact]
    public void Rooms_KnowOnlyWhatTheyMay()
    {
        string[] back = [.. Find().Where(arrow => !s_allowed[arrow.Key.From].Contains(arrow.Key.To))
            .SelectMany(arrow => arrow.Value.Select(pair => $"{arrow.Key.From} knows {arrow.Key.To}: {pair}"))];
        Assert.True(back.Length == 0, string.Join("\n", back));
    }

    [Fact]
    public void AllowedArrows_AreAllThere_AndHaveNoCircle()
    {
        // One that is not used is no longer meant.
        HashSet<(string, string)> found = [.. Find().Keys];
        Assert.DoesNotContain(s_allowed.SelectMany(room => room.Value.Select(to => (room.Key, to))),
            arrow => arrow.Key != Entrance && !found.Contains(arrow));
        var done = new HashSet<string>();
        while (s_allowed.Keys.FirstOrDefault(room => !done.Contains(room) && s_allowed[room].All(done.Contains)) is { } next)
            done.Add(next);
        Assert.Equal(s_allowed.Keys.Order(StringComparer.Ordinal), done.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Find_KnowsFieldsCallsAndTypeArguments()
    {
        var found = Find();
        Assert.Contains("SelectedRows -> ColumnFacts", found[("Selection", "DataViews")]);              // a call
        Assert.Contains("NetworkPredictionTransformer -> NetworkModel", found[("Networks/Scoring", "Networks/Model")]);
        Assert.Contains("LookAheadCursor -> BlockCursor", found[("Networks/Scoring", "DataViews")]);    // a base class
        Assert.Contains("AttachedRows -> AppendedColumnsView", found[("RecordViews", "DataViews")]);     // a field
    }

    private static Dictionary<(string From, string To), SortedSet<string>> Find()
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(typeof(ForwardSamplingCatalog).Assembly.Location);
        var arrows = new Dictionary<(string, string), SortedSet<string>>();
        foreach (TypeDefinition type in assembly.MainModule.GetAllTypes().Where(type => s_rooms.Value.ContainsKey(Name(type))))
        {
            string from = Room(type);
            foreach (TypeReference used in Uses(type).SelectMany(Parts))
            {
                string to = Room(used);
                if (used.Scope is not ModuleDefinition || to == from || s_words.Contains(Outer(used).Name)
                    || !s_rooms.Value.ContainsKey(Name(used)))
                    continue;                               // the last: what the compiler made, or shared source
                if (!arrows.TryGetValue((from, to), out SortedSet<string>? pairs))
                    arrows.Add((from, to), pairs = new SortedSet<string>(StringComparer.Ordinal));
                pairs.Add($"{Outer(type).Name} -> {Outer(used).Name}");
            }
        }

        return arrows;
    }

    private static TypeReference Outer(TypeReference type) => type.DeclaringType is { } outer ? Outer(outer) : type;

    private static string Room(TypeReference type) => s_rooms.Value.GetValueOrDefault(Name(type), Entrance);

    private static string Name(TypeReference type) => Outer(type).Name.Split('`')[0];

    /// <summary>The folder in which each type is declared.</summary>
    private static Dictionary<string, string> FindRooms()
    {
        string source = Path.Combine(RepositoryFolder.Root, "src", Root);
        var rooms = new Dictionary<string, string>();
        foreach (string file in Directory.EnumerateFiles(source, "*.cs", SearchOption.AllDirectories))
        {
            string room = Path.GetDirectoryName(Path.GetRelativePath(source, file))!.Replace('\\', '/');
            room = room.StartsWith("Selection/", StringComparison.Ordinal) ? "Selection" : room;    // one room with shelves
            foreach (Match declared in Declaration().Matches(File.ReadAllText(file)))
                rooms[declared.Groups["name"].Value] = room;
        }

        return rooms;
    }

    [GeneratedRegex(@"^(?:(?:public|internal|sealed|static|abstract|readonly|partial|unsafe|ref) )*"
        + @"(?:class|struct|record struct|record|interface|enum|delegate .+?) (?<name>\w+)(?![\w<])", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    private static IEnumerable<TypeReference> Uses(TypeDefinition type)
    {
        if (type.BaseType is { } above)
            yield return above;
        foreach (InterfaceImplementation implemented in type.Interfaces)
            yield return implemented.InterfaceType;
        foreach (FieldDefinition field in type.Fields)
            yield return field.FieldType;
        foreach (MethodDefinition method in type.Methods)
        {
            yield return method.ReturnType;
            foreach (ParameterDefinition parameter in method.Parameters)
                yield return parameter.ParameterType;
            if (!method.HasBody)
                continue;
            foreach (Mono.Cecil.Cil.VariableDefinition variable in method.Body.Variables)
                yield return variable.VariableType;
            foreach (Mono.Cecil.Cil.Instruction instruction in method.Body.Instructions)
            {
                switch (instruction.Operand)
                {
                    case TypeReference named:
                        yield return named;
                        break;
                    case MemberReference member:
                        yield return member.DeclaringType;
                        if (member is GenericInstanceMethod generic)
                        {
                            foreach (TypeReference argument in generic.GenericArguments)
                                yield return argument;
                        }

                        break;
                }
            }
        }
    }

    private static IEnumerable<TypeReference> Parts(TypeReference type)
    {
        if (type is GenericInstanceType generic)
        {
            foreach (TypeReference part in generic.GenericArguments.SelectMany(Parts))
                yield return part;
        }

        if (type is TypeSpecification specification)
        {
            foreach (TypeReference part in Parts(specification.ElementType))
                yield return part;
        }
        else if (type is not GenericParameter and not null)
        {
            yield return type;
        }
    }
}
