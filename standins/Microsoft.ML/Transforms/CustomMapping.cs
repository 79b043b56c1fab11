using System.Reflection;

namespace Microsoft.ML
{
    /// <summary>Columns from the user's own functions.</summary>
    public static class CustomMappingCatalog
    {
        public static CustomMappingEstimator<TSrc, TDst> CustomMapping<TSrc, TDst>(this TransformsCatalog catalog, Action<TSrc, TDst> mapAction,
            string? contractName, SchemaDefinition? inputSchemaDefinition = null, SchemaDefinition? outputSchemaDefinition = null)
            where TSrc : class, new()
            where TDst : class, new()
        {
            ArgumentNullException.ThrowIfNull(mapAction);
            catalog.Environment.Register("Estimator");
            return new(new CustomMappingTransformer<TSrc, TDst>(mapAction, contractName, inputSchemaDefinition, outputSchemaDefinition));
        }
    }
}

namespace Microsoft.ML.Transforms
{
    /// <summary>Adds the columns that a function fills in an object from the columns it finds in another.</summary>
    public sealed class CustomMappingEstimator<TSrc, TDst> : TrivialEstimator<CustomMappingTransformer<TSrc, TDst>>
        where TSrc : class, new()
        where TDst : class, new()
    {
        internal CustomMappingEstimator(CustomMappingTransformer<TSrc, TDst> transformer) : base(transformer) { }

        public override SchemaShape GetOutputSchema(SchemaShape inputSchema)
        {
            ArgumentNullException.ThrowIfNull(inputSchema);
            foreach (TypedColumn column in Transformer.Inputs)
            {
                SchemaShape.Column found = inputSchema.Find(column.Name);
                var wanted = new SchemaShape.Column(column.Name, column.Type);
                // Where a vector of any size is wanted, one of known size will do.
                if (!found.HasTypeOf(wanted) && !(wanted.Kind == SchemaShape.Column.VectorKind.VariableVector
                    && found.HasTypeOf(new SchemaShape.Column(column.Name, SchemaShape.Column.VectorKind.Vector, wanted.ItemType, wanted.IsKey))))
                {
                    throw Errors.SchemaMismatch(nameof(inputSchema), "input", column.Name, column.Type.ToString(), found.GetTypeString());
                }
            }

            return inputSchema.With([.. Transformer.Outputs.Select(c => new SchemaShape.Column(c.Name, c.Type))]);
        }
    }

    /// <summary>Calls the function once a row, when one of its columns is first read.</summary>
    public sealed class CustomMappingTransformer<TSrc, TDst> : ITransformer
        where TSrc : class, new()
        where TDst : class, new()
    {
        private readonly Action<TSrc, TDst> _mapAction;
        private readonly string? _contractName;

        internal CustomMappingTransformer(Action<TSrc, TDst> mapAction, string? contractName, SchemaDefinition? inputDefinition, SchemaDefinition? outputDefinition)
        {
            _mapAction = mapAction;
            _contractName = contractName;
            Inputs = TypedSchema.Columns(typeof(TSrc), inputDefinition, SchemaDefinition.Direction.Write);
            Outputs = TypedSchema.Columns(typeof(TDst), outputDefinition, SchemaDefinition.Direction.Read);
        }

        bool ITransformer.IsRowToRowMapper => true;

        internal TypedColumn[] Inputs { get; }
        internal TypedColumn[] Outputs { get; }
        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => CreateMapper(inputSchema).OutputSchema;

        public IDataView Transform(IDataView input)
        {
            ArgumentNullException.ThrowIfNull(input);
            return new RowMapperView(input, CreateMapper(input.Schema));
        }

        IRowToRowMapper ITransformer.GetRowToRowMapper(DataViewSchema inputSchema) => CreateMapper(inputSchema);

        void ICanSaveModel.Save(ModelSaveContext ctx)
        {
            if (string.IsNullOrEmpty(_contractName))
                throw new InvalidOperationException("Empty contract name for a transform: the transform cannot be saved");
            BinaryWriter writer = ctx.Begin(ModelLoaders.CustomMapping);
            writer.Write(_contractName);
            writer.Write(_mapAction.Method.DeclaringType!.Assembly.FullName!);
        }

        private Mapper CreateMapper(DataViewSchema inputSchema)
        {
            ArgumentNullException.ThrowIfNull(inputSchema);
            return new Mapper(this, inputSchema, TypedSchema.Match(Inputs, inputSchema, ignoreMissing: false));
        }

        private sealed class Mapper(CustomMappingTransformer<TSrc, TDst> parent, DataViewSchema inputSchema, DataViewSchema.Column?[] sources)
            : RowMapper(inputSchema, [.. parent.Outputs.Select(c => new AddedColumn(c.Detached, [.. sources.Select(s => s!.Value.Index)], _ => null!))])
        {
            // The function runs once for all columns of a row.
            protected override Delegate?[] CreateGetters(DataViewRow input, Func<int, bool> isActive)
            {
                if (!Enumerable.Range(0, parent.Outputs.Length).Any(isActive))
                    return new Delegate?[parent.Outputs.Length];
                Action<TSrc> write = TypedRow<TSrc>.CreateWriter(parent.Inputs, sources, input);
                var source = new TSrc();
                var result = new TypedRow<TDst>.Holder { Row = new TDst() };
                long mapped = -1;
                return [.. parent.Outputs.Select((column, i) => isActive(i)
                    ? Generic.Call<Delegate>(AfterRefresh<int>, column.Type.RawType, TypedRow<TDst>.CreateGetter(column, result), (Action)Refresh)
                    : null)];

                void Refresh()
                {
                    if (input.Position == mapped)
                        return;
                    write(source);
                    parent._mapAction(source, result.Current);
                    mapped = input.Position;
                }
            }

            private static Delegate AfterRefresh<T>(Delegate getter, Action refresh)
            {
                var get = (ValueGetter<T>)getter;
                return (ValueGetter<T>)((ref T value) =>
                {
                    refresh();
                    get(ref value);
                });
            }
        }
    }

    /// <summary>Loading of custom mappings.</summary>
    internal static class CustomMappingLoader
    {
        public static ITransformer Load(ModelLoadContext ctx)
        {
            string contractName = ctx.Reader.ReadString();
            ctx.Env.ComponentCatalog.RegisterAssembly(Assembly.Load(ctx.Reader.ReadString()), throwOnError: false);
            return ctx.Env.ComponentCatalog.FindContract(contractName).CreateTransformer(ctx.Env, contractName);
        }
    }
}
