using System.Globalization;

namespace Microsoft.ML.ForwardSampling.Onnx;

/// <summary>An ONNX graph that is being built: nodes, constants, one input and the outputs.</summary>
/// <remarks>Numbers of fields, element types and attribute types are those of onnx.proto. Rows are the first axis of input and
/// outputs.</remarks>
internal sealed class OnnxGraph
{
    /// <summary>Version of the standard operators: the one that ML.NET's own exporter writes.</summary>
    public const int Opset = 12;

    private const int IrVersion = 7;                        // the one of opset 12
    private const string RowsAxis = "rows";

    private readonly ProtoMessage _graph = new();
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    /// <param name="input">Name of the input.</param>
    /// <param name="width">Numbers of a row.</param>
    public OnnxGraph(string input, int width)
    {
        _names.Add(input);
        _graph.Add(2, "ForwardSampling").Add(11, ValueInfo(input, TensorType.Single, width));
    }

    /// <summary>Adds an operation.</summary>
    /// <returns>The name of its result.</returns>
    public string Node(string operation, string[] inputs, params ReadOnlySpan<Setting> settings)
        => Node(operation, inputs, Fresh(operation.ToLowerInvariant()), settings);

    /// <summary>Adds an operation whose result is an output of the graph.</summary>
    public void Output(string name, TensorType type, int width, string operation, string[] inputs, params ReadOnlySpan<Setting> settings)
    {
        if (!_names.Add(name))
            throw new NotSupportedException(
                $"The model cannot be written as ONNX: '{name}' is the name of its feature column and of one of its outputs, and a graph "
                + "has each name once. Train it on a feature column of another name.");
        _graph.Add(12, ValueInfo(name, type, width));
        Node(operation, inputs, name, settings);
    }

    /// <summary>Adds numbers or texts that are part of the model.</summary>
    /// <param name="hint">Its name, unless that is taken.</param>
    /// <param name="values">An array of an unmanaged type, of bool or of text.</param>
    /// <param name="shape">Sizes of the axes; none: one value.</param>
    /// <returns>Its name.</returns>
    public string Constant(string hint, Array values, params ReadOnlySpan<long> shape)
    {
        string name = Fresh(hint);
        var tensor = new ProtoMessage();
        foreach (long size in shape)
            tensor.Add(1, size);
        tensor.Add(2, (long)TypeOf(values)).Add(8, name);
        if (values is ReadOnlyMemory<char>[] texts)
        {
            foreach (ReadOnlyMemory<char> text in texts)
                tensor.Add(6, text.ToString());
        }
        else
        {
            tensor.Add(9, Bytes(values));
        }

        _graph.Add(5, tensor);
        return name;
    }

    /// <summary>The element type of an array.</summary>
    public static TensorType TypeOf(Array values) => values switch
    {
        float[] => TensorType.Single,
        double[] => TensorType.Double,
        // Before the integers: the runtime lets an sbyte[] pass for a byte[], and so on.
        ReadOnlyMemory<char>[] => TensorType.Text,
        bool[] => TensorType.Boolean,
        _ => Type.GetTypeCode(values.GetType().GetElementType()) switch
        {
            TypeCode.SByte => TensorType.SByte,
            TypeCode.Byte => TensorType.Byte,
            TypeCode.Int16 => TensorType.Int16,
            TypeCode.UInt16 => TensorType.UInt16,
            TypeCode.Int32 => TensorType.Int32,
            TypeCode.UInt32 => TensorType.UInt32,
            TypeCode.Int64 => TensorType.Int64,
            TypeCode.UInt64 => TensorType.UInt64,
            _ => throw new NotSupportedException($"ONNX has no tensor of {values.GetType().GetElementType()!.Name}."),
        },
    };

    /// <summary>The whole model around the graph.</summary>
    /// <param name="facts">Names and values for whoever looks into the file.</param>
    public ProtoMessage ToModel(params ReadOnlySpan<(string Name, string Value)> facts)
    {
        Version version = typeof(OnnxGraph).Assembly.GetName().Version!;
        ProtoMessage model = new ProtoMessage().Add(1, IrVersion).Add(2, "Microsoft.ML.ForwardSampling").Add(3, version.ToString())
            .Add(7, _graph).Add(8, new ProtoMessage().Add(1, "").Add(2, Opset));
        foreach ((string name, string value) in facts)
            model.Add(14, new ProtoMessage().Add(1, name).Add(2, value));
        return model;
    }

    private string Node(string operation, string[] inputs, string output, ReadOnlySpan<Setting> settings)
    {
        var node = new ProtoMessage();
        foreach (string input in inputs)
            node.Add(1, input);
        node.Add(2, output).Add(3, output).Add(4, operation);
        foreach (Setting setting in settings)
            node.Add(5, setting.ToMessage());
        _graph.Add(1, node);
        return output;
    }

    private string Fresh(string hint)
    {
        string name = hint;
        for (int i = 2; !_names.Add(name); i++)
            name = string.Create(CultureInfo.InvariantCulture, $"{hint}.{i}");
        return name;
    }

    private static ProtoMessage ValueInfo(string name, TensorType type, int width)
    {
        ProtoMessage shape = new ProtoMessage().Add(1, new ProtoMessage().Add(2, RowsAxis)).Add(1, new ProtoMessage().Add(1, (long)width));
        ProtoMessage tensor = new ProtoMessage().Add(1, (long)type).Add(2, shape);
        return new ProtoMessage().Add(1, name).Add(2, new ProtoMessage().Add(1, tensor));
    }

    private static byte[] Bytes(Array values)
    {
        var bytes = new byte[Buffer.ByteLength(values)];
        Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length);
        if (!BitConverter.IsLittleEndian)
            throw new NotSupportedException("ONNX files are little-endian; this machine is not.");
        return bytes;
    }
}

/// <summary>Element types of a tensor, with ONNX's numbers.</summary>
internal enum TensorType
{
    Single = 1,
    Byte = 2,
    SByte = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Text = 8,
    Boolean = 9,
    Double = 11,
    UInt32 = 12,
    UInt64 = 13,
}

/// <summary>An attribute of an operation.</summary>
/// <param name="Name">As the operation calls it.</param>
/// <param name="Value">A float, an int, or the numbers of axes.</param>
internal readonly record struct Setting(string Name, object Value)
{
    public ProtoMessage ToMessage()
    {
        ProtoMessage message = new ProtoMessage().Add(1, Name);
        switch (Value)
        {
            case float number:
                return message.Add(2, number).Add(20, 1);
            case int number:
                return message.Add(3, (long)number).Add(20, 2);
            case int[] axes:
                foreach (int axis in axes)
                    message.Add(8, (long)axis);
                return message.Add(20, 7);
            default:
                throw new NotSupportedException($"{Name} is a {Value.GetType().Name}.");
        }
    }
}
