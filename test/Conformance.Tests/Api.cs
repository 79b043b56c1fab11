using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.ML;

namespace Conformance.Tests;

/// <summary>Finds members of the loaded Microsoft.ML by name, so that this suite compiles where one is absent.</summary>
internal static class Api
{
    private static readonly Assembly[] Assemblies = [.. new[] { "Core", "Data", "DataView", "StandardTrainers", "Transforms", "FastTree" }
        .Select(n => Load("Microsoft.ML." + n)).Append(typeof(MLContext).Assembly).OfType<Assembly>().Distinct()];

    private static readonly ILookup<string, MethodInfo> Extensions = Assemblies.SelectMany(a => a.ExportedTypes).Where(t => t.IsSealed && t.IsAbstract)
        .SelectMany(t => t.GetMethods()).Where(m => m.IsDefined(typeof(ExtensionAttribute))).ToLookup(m => m.Name);

    /// <summary>The stand-in is one assembly; the real library spreads over several.</summary>
    public static bool IsStandin => typeof(MLContext).Assembly == typeof(IDataView).Assembly;

    /// <summary>Whether the library has a member named `Namespace.Type.Member`; of the stand-in, not where an argument is given that it refuses.</summary>
    public static bool IsPresent(string member)
    {
        if (member.Split('(') is [var called, _])
            return !IsStandin && IsPresent(called);
        int dot = member.LastIndexOf('.');
        return Assemblies.Any(a => a.GetType(member[..dot])?.GetMember(member[(dot + 1)..]).Length > 0);
    }

    /// <summary>The estimator that a text such as <c>Concatenate("F","A") then NormalizeMinMax("F", fixZero: true)</c> makes; a trainer of several tasks is the regression one.</summary>
    public static IEstimator<ITransformer> Estimator(MLContext ml, string text) => Chain(ml, text,
        ml.Transforms, ml.Transforms.Conversion, ml.Transforms.Categorical, ml.Regression.Trainers, ml.BinaryClassification.Trainers, ml.MulticlassClassification.Trainers);

    /// <summary>The same, of binary classification trainers.</summary>
    public static IEstimator<ITransformer> BinaryTrainer(MLContext ml, string text) => Chain(ml, text, ml.BinaryClassification.Trainers);

    /// <summary>Calls a method of a catalog, its extensions included, for which the arguments fit.</summary>
    public static object? Call(MLContext ml, object catalog, string name, params object?[] arguments) =>
        Call(ml, [catalog], name, [.. arguments.Select(a => ((string?)null, a))]);

    /// <summary>Calls a static method of a public type for which the arguments fit.</summary>
    public static object? Static(MLContext ml, string type, string name, Type? typeArgument, params object?[] arguments)
    {
        foreach (MethodInfo method in Assemblies.Select(a => a.GetType(type)).OfType<Type>().SelectMany(t => t.GetMethods()).Where(m => m.Name == name && m.IsGenericMethod == typeArgument is not null))
        {
            MethodInfo closed = typeArgument is null ? method : method.MakeGenericMethod(typeArgument);
            if (Bind(ml, closed.GetParameters(), [.. arguments.Select(a => ((string?)null, a))]) is { } bound)
                return Invoke(closed, null, bound);
        }

        throw new MissingMemberException($"{type}.{name}({string.Join(", ", arguments)}) is absent.");
    }

    /// <summary>Calls through reflection; what is thrown comes out as itself.</summary>
    public static object? Invoke(MethodInfo method, object? target, object?[] arguments)
    {
        try
        {
            return method.Invoke(target, arguments);
        }
        catch (TargetInvocationException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerException!);
            throw;
        }
    }

    private static IEstimator<ITransformer> Chain(MLContext ml, string text, params object[] catalogs) => text.Split(" then ")
        .Select(call => (IEstimator<ITransformer>)CallText.Parse(call).Invoke((name, arguments) => Call(ml, catalogs, name, arguments)))
        .Aggregate((chain, next) => chain.Append(next));

    private static object? Call(MLContext ml, object[] catalogs, string name, IReadOnlyList<(string? Name, object? Value)> arguments)
    {
        foreach (object catalog in catalogs)
        {
            IEnumerable<MethodInfo> own = catalog.GetType().GetMethods().Where(m => m.Name == name);
            IEnumerable<MethodInfo> extensions = Extensions[name].Where(m => m.GetParameters()[0].ParameterType == catalog.GetType());
            foreach (MethodInfo method in own.Concat(extensions))
            {
                object? target = method.IsStatic ? null : catalog;
                MethodInfo closed = !method.IsGenericMethod ? method
                    : method.MakeGenericMethod([.. arguments.Select(a => a.Value).OfType<Delegate>().First().GetType().GetGenericArguments().Take(method.GetGenericArguments().Length)]);
                if (Bind(ml, closed.GetParameters(), method.IsStatic ? [(null, catalog), .. arguments] : arguments) is { } bound)
                    return Invoke(closed, target, bound);
            }
        }

        throw new MissingMemberException($"No catalog has {name}({string.Join(", ", arguments.Select(a => a.Name is null ? $"{a.Value}" : $"{a.Name}: {a.Value}"))}).");
    }

    private static object?[]? Bind(MLContext ml, ParameterInfo[] parameters, IReadOnlyList<(string? Name, object? Value)> arguments)
    {
        object?[] bound = new object?[parameters.Length];
        int used = 0;
        for (int i = 0; i < parameters.Length; i++)
        {
            ParameterInfo parameter = parameters[i];
            int at = i < arguments.Count && arguments[i].Name is null ? i : arguments.Index().FirstOrDefault(a => a.Item.Name == parameter.Name, (-1, default)).Index;
            if (parameter.IsDefined(typeof(ParamArrayAttribute)) && (at < 0 || arguments[at].Value is not List<object?>))
            {
                (string? Name, object? Value)[] rest = [.. arguments.Skip(i)];
                var array = Array.CreateInstance(parameter.ParameterType.GetElementType()!, rest.Length);
                foreach ((int k, (_, object? value)) in rest.Index())
                {
                    if (!Convert(ml, value, array.GetType().GetElementType()!, out object? item))
                        return null;
                    array.SetValue(item, k);
                }

                bound[i] = array;
                used += rest.Length;
            }
            else if (at >= 0)
            {
                if (!Convert(ml, arguments[at].Value, parameter.ParameterType, out bound[i]))
                    return null;
                used++;
            }
            else if (parameter.HasDefaultValue)
            {
                bound[i] = parameter.ParameterType.IsEnum ? Enum.ToObject(parameter.ParameterType, parameter.RawDefaultValue!) : parameter.DefaultValue;
            }
            else
            {
                return null;
            }
        }

        return used == arguments.Count ? bound : null;
    }

    private static bool Convert(MLContext ml, object? value, Type type, out object? result)
    {
        result = value;
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        switch (value)
        {
            case null:
                return !type.IsValueType || bare != type;
            case CallText.Word("null"):
                result = null;
                return !type.IsValueType;
            case CallText.Word word when bare == typeof(string):
                result = word.Text;
                return true;
            case CallText.Word word when bare == typeof(bool):
                return bool.TryParse(word.Text, out bool flag) && (result = flag) is not null;
            case CallText.Word word when bare.IsEnum:
                return Enum.TryParse(bare, word.Text.Split('.')[^1], out result);
            case double number when bare.IsPrimitive && bare != typeof(bool):
                result = System.Convert.ChangeType(number, bare, CultureInfo.InvariantCulture);
                return true;
            case List<object?> texts when bare == typeof(string[]):
                result = texts.Cast<string>().ToArray();
                return true;
            case List<object?> texts when bare == typeof(IDataView):
                result = ml.Data.LoadFromEnumerable(texts.Select(t => new TextRow { Value = (string)t! }).ToArray());
                return true;
            case CallText.Options options when bare.Name == "Options":
                result = Activator.CreateInstance(bare)!;
                foreach ((string name, object? option) in options.Values)
                {
                    if (!Convert(ml, option, Rows.MemberType(bare, name), out object? converted))
                        return false;
                    Rows.Set(result, name, converted);
                }

                return true;
            default:
                return bare.IsInstanceOfType(value);
        }
    }

    private static Assembly? Load(string name)
    {
        try
        {
            return Assembly.Load(name);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    private sealed class TextRow
    {
        public string? Value { get; set; }
    }
}

/// <summary>A call written in a golden file: <c>Sub.Name("text", 1, Word, ["a"], name: Kind.Value, Options{Member=1})</c>.</summary>
internal sealed class CallText
{
    private readonly string _text;
    private int _at;

    private CallText(string text) => _text = text;

    public string Name { get; private set; } = "";

    public List<(string? Name, object? Value)> Arguments { get; } = [];

    public static CallText Parse(string text)
    {
        CallText call = new(text);
        call.Name = call.Identifier().Split('.')[^1];
        call.List('(', ')', () => call.Arguments.Add(call.Argument()));
        return call;
    }

    public object Invoke(Func<string, IReadOnlyList<(string?, object?)>, object?> call) => call(Name, Arguments)!;

    private (string?, object?) Argument()
    {
        object? value = Value();
        if (value is not Word word || !Accept(':'))
            return (null, value);
        return (word.Text, Value());
    }

    private object? Value()
    {
        Skip();
        if (_text[_at] == '[')
        {
            List<object?> items = [];
            List('[', ']', () => items.Add(Value()));
            return items;
        }

        if (_text[_at] == '"')
        {
            int end = _text.IndexOf('"', _at + 1);
            string literal = _text[(_at + 1)..end];
            _at = end + 1;
            return literal;
        }

        string token = Identifier();
        if (double.TryParse(token, CultureInfo.InvariantCulture, out double number))
            return number;
        if (_at >= _text.Length || _text[_at] != '{')
            return new Word(token);
        List<(string, object?)> options = [];
        List('{', '}', () =>
        {
            string name = Identifier();
            Accept('=');
            options.Add((name, Value()));
        });
        return new Options(options);
    }

    private string Identifier()
    {
        Skip();
        int start = _at;
        while (_at < _text.Length && (char.IsLetterOrDigit(_text[_at]) || _text[_at] is '.' or '_' or '-'))
            _at++;
        return start < _at ? _text[start.._at] : throw new FormatException($"A name or number is expected at {start} of: {_text}");
    }

    private void List(char open, char close, Action item)
    {
        if (!Accept(open))
            throw new FormatException($"'{open}' is expected at {_at} of: {_text}");
        while (!Accept(close))
        {
            item();
            Accept(',');
        }
    }

    private bool Accept(char symbol)
    {
        Skip();
        bool found = _at < _text.Length && _text[_at] == symbol;
        _at += found ? 1 : 0;
        return found;
    }

    private void Skip()
    {
        while (_at < _text.Length && _text[_at] == ' ')
            _at++;
    }

    /// <summary>A name without quotes: an enum member, true, false, null, or a column.</summary>
    public sealed record Word(string Text)
    {
        public override string ToString() => Text;
    }

    public sealed record Options(IReadOnlyList<(string Name, object? Value)> Values);
}
