using System.Reflection;
using Microsoft.ML.Data;

namespace Microsoft.ML;

/// <summary>Reading text files.</summary>
public static class TextLoaderSaverCatalog
{
    public static IDataView LoadFromTextFile(
        this DataOperationsCatalog catalog, string path, TextLoader.Column[] columns, char separatorChar = '\t', bool hasHeader = false,
        bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false) =>
        Load(path, NewOptions(columns, separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse));

    public static IDataView LoadFromTextFile(this DataOperationsCatalog catalog, string path, TextLoader.Options? options = null) =>
        Load(path, options ?? new TextLoader.Options());

    // As in ML.NET, a class's columns are bound without a look at the file: no slot names, no ranges of unknown size.
    public static IDataView LoadFromTextFile<TInput>(
        this DataOperationsCatalog catalog, string path, char separatorChar = '\t', bool hasHeader = false,
        bool allowQuoting = false, bool trimWhitespace = false, bool allowSparse = false) =>
        Load(path, NewOptions(ColumnsOf(typeof(TInput)), separatorChar, hasHeader, allowQuoting, trimWhitespace, allowSparse), sampled: false);

    private static IDataView Load(string path, TextLoader.Options options, bool sampled = true)
    {
        Errors.CheckName(path, nameof(path));
        Errors.CheckArgument(File.Exists(path), nameof(path), $"File or directory does not exist at path: {path}");
        return new TextLoader(path, options, sampled).Load();
    }

    private static TextLoader.Options NewOptions(
        TextLoader.Column[] columns, char separator, bool hasHeader, bool allowQuoting, bool trimWhitespace, bool allowSparse) =>
        allowSparse
            ? throw new NotSupportedException("This stand-in for ML.NET does not read sparse rows.")
            : new() { Columns = columns, Separators = [separator], HasHeader = hasHeader, AllowQuoting = allowQuoting, TrimWhitespace = trimWhitespace };

    private static TextLoader.Column[] ColumnsOf(Type type)
    {
        const BindingFlags flags = BindingFlags.Public | BindingFlags.Instance;
        var fields = type.GetFields(flags).Select(field => ColumnOf("Field", field, field.FieldType));
        var properties = type.GetProperties(flags).Where(property => property.GetGetMethod() is not null && property.GetIndexParameters().Length == 0);
        return [.. fields.Concat(properties.Select(property => ColumnOf("Property", property, property.PropertyType)))];
    }

    private static TextLoader.Column ColumnOf(string memberKind, MemberInfo member, Type type)
    {
        var source = member.GetCustomAttribute<LoadColumnAttribute>()
            ?? throw new InvalidOperationException($"{memberKind} '{member.Name}' is missing the LoadColumnAttribute attribute");
        var kind = TextParser.KindOf(type.IsArray ? type.GetElementType()! : type)
            ?? throw new InvalidOperationException($"{memberKind} {member.Name} is of unsupported type.");
        var ranges = source.Sources.Select(range => range.First == range.Last ? new TextLoader.Range(range.First) : new(range.First, range.Last));
        var keyCount = member.GetCustomAttribute<KeyTypeAttribute>() is { } key ? new KeyCount(key.Count) : null;
        return new(member.GetCustomAttribute<ColumnNameAttribute>()?.Name ?? member.Name, kind, [.. ranges], keyCount);
    }
}
