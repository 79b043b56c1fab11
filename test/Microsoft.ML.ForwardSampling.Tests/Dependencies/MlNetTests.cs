using System.Reflection;
using Microsoft.ML.Data;
using Microsoft.ML.ForwardSampling.DataViews;
using Microsoft.ML.Runtime;
using Microsoft.ML.Trainers;
using Microsoft.ML.Transforms;

namespace Microsoft.ML.ForwardSampling.Tests.Dependencies;

/// <summary>What this library's design leans on in ML.NET, and ML.NET promises nowhere: an upgrade that changes one of these says so by its
/// name.</summary>
public sealed class MlNetTests
{
    private const int RowCount = 400;

    private readonly MLContext _ml = new(seed: 1);
    private int _mapped;

    // Cursors: SelectRows must not compute the columns of rows that it skips.

    [Fact]
    public void GetRowCursor_OfAMapping_ComputesActiveColumnsOfRowsThatNobodyReads()
    {
        IDataView view = Mapped();
        using (DataViewRowCursor cursor = view.GetRowCursor([view.Schema["Twice"]]))
        {
            _ = cursor.GetGetter<float>(view.Schema["Twice"]);
            while (cursor.MoveNext())
            {
            }
        }

        Assert.Equal(RowCount, _mapped);
    }

    [Fact]
    public void GetRowCursorSet_OfOne_ComputesOnlyWhatIsRead()
    {
        IDataView view = Mapped();
        using DataViewRowCursor cursor = Assert.Single(view.GetRowCursorSet([view.Schema["Twice"]], 1));
        ValueGetter<float> twice = cursor.GetGetter<float>(view.Schema["Twice"]);
        float value = 0;
        for (int row = 0; cursor.MoveNext(); row++)
        {
            if (row % 10 == 0)
                twice(ref value);
        }

        Assert.Equal(RowCount / 10, _mapped);
    }

    [Fact]
    public void GetRowCursorSet_MayGiveFewerCursorsThanAsked()
    {
        IDataView rows = Rows();
        DataViewRowCursor[] fromRows = rows.GetRowCursorSet(rows.Schema, 4);
        IDataView mapped = Mapped();
        DataViewRowCursor[] fromMapped = mapped.GetRowCursorSet(mapped.Schema, 4);

        Assert.Single(fromRows);
        Assert.InRange(fromMapped.Length, 1, 4);
        Assert.All(fromRows.Concat(fromMapped), cursor => cursor.Dispose());
    }

    [Fact]
    public void GetGetter_InactiveColumn_Throws()
    {
        IDataView rows = Rows();
        using DataViewRowCursor cursor = rows.GetRowCursor([rows.Schema["Label"]]);

        Assert.ThrowsAny<Exception>(() => cursor.GetGetter<VBuffer<float>>(rows.Schema["Features"]));
    }

    /// <summary>Why a StatefulCustomMapping upstream of SelectRows needs a Cache between: docs/pitfalls.md.</summary>
    [Fact]
    public void StatefulCustomMapping_CursorThatDoesNotAskForItsColumns_Throws()
    {
        IDataView rows = Rows();
        IDataView view = _ml.Transforms.StatefulCustomMapping<Row, Twice, State>((row, twice, _) => twice.Value = row.Label, _ => { },
            contractName: null).Fit(rows).Transform(rows);

        Assert.Contains("requested column not active",
            Assert.ThrowsAny<ArgumentException>(() => view.GetRowCursorSet([view.Schema["Label"]], 1)).Message, StringComparison.Ordinal);
    }

    // Training scope: why selection is an estimator around the trainer, and no stage of a pipeline.

    [Fact]
    public void CrossValidate_ScoresHoldOutsWithStagesOfTheTrainingScope()
    {
        IDataView rows = Rows();
        EstimatorChain<ITransformer> pipeline = new EstimatorChain<ITransformer>()
            .Append<ITransformer>(new FilterEstimator(_ml), TransformerScope.Training)
            .Append<ITransformer>(_ml.Regression.Trainers.Sdca(
                new SdcaRegressionTrainer.Options { NumberOfThreads = 1, MaximumNumberOfIterations = 2 }));

        long heldOut = _ml.Regression.CrossValidate(rows, pipeline, 2)
            .Sum(fold => fold.ScoredHoldOutSet.GetColumn<float>("Label").LongCount());

        Assert.InRange(heldOut, 1, RowCount / 2);
    }

    // Shapes: borrowed from ML.NET's trainers, because a column of a shape cannot be made outside.

    [Fact]
    public void SchemaShapeColumn_CannotBeMadeOutside()
        => Assert.DoesNotContain(typeof(SchemaShape.Column).GetConstructors(BindingFlags.Public | BindingFlags.Instance),
            constructor => constructor.GetParameters().Length > 0);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TrainerShape_PredictedLabelHasKeyValuesExactlyWhenTheLabelHas(bool withValues)
    {
        IDataView keyed = withValues
            ? _ml.Transforms.Conversion.MapValueToKey("Key", "Label").Fit(Rows()).Transform(Rows())
            : _ml.Data.LoadFromEnumerable(Enumerable.Range(0, 10).Select(i => new KeyRow { Key = (uint)(i % 3) + 1 }));
        SchemaShape input = Shapes.Of(keyed.Schema);

        SchemaShape.Column predicted = _ml.MulticlassClassification.Trainers.SdcaMaximumEntropy("Key").GetOutputSchema(input)
            .Single(column => column.Name == "PredictedLabel");

        Assert.Equal(withValues, predicted.Annotations.Any(annotation => annotation.Name == "KeyValues"));
    }

    [Fact]
    public void TrainerShape_WrongLabel_IsRefusedByMlNetItself()
        => Assert.Contains("label column 'Name'", Assert.ThrowsAny<ArgumentException>(
            () => _ml.Regression.Trainers.Sdca("Name").GetOutputSchema(Shapes.Of(Rows().Schema))).Message, StringComparison.Ordinal);

    // Seeds: why helpers live on a private context and each component registers once.

    [Fact]
    public void Register_OneMoreComponent_MovesTheSeedsOfThoseAfterIt()
    {
        Assert.Equal(FirstDraw(register: 0), FirstDraw(register: 0));
        Assert.NotEqual(FirstDraw(register: 0), FirstDraw(register: 1));

        static int FirstDraw(int register)
        {
            IHostEnvironment environment = new MLContext(seed: 1);
            for (int i = 0; i < register; i++)
                environment.Register("Other");
            return environment.Register("Ours").Rand.Next();
        }
    }

    // Log: the only way to say something to the user of a context.

    [Fact]
    public void Channel_Info_ReachesTheLogWithItsSource()
    {
        var heard = new List<LoggingEventArgs>();
        _ml.Log += (_, e) => heard.Add(e);
        using (IChannel channel = ((IHostEnvironment)_ml).Register("ForwardSampling.Test").Start("Fit"))
            channel.Info(MessageSensitivity.None, "epoch {0}", 3);

        LoggingEventArgs told = Assert.Single(heard, e => e.RawMessage == "epoch 3");
        Assert.Equal(("ForwardSampling.Test; Fit", ChannelMessageKind.Info), (told.Source, told.Kind));
    }

    // Cancellation: ML.NET's trainers can be stopped only through the rows they read.

    [Fact]
    public void Cancellation_ThrownByARow_ComesOutOfATrainer_BareOrWrapped()
    {
        IDataView rows = _ml.Transforms.CustomMapping<Row, Twice>((_, _) => throw new OperationCanceledException("stop"),
            contractName: null).Fit(Rows()).Transform(Rows());
        IEstimator<ITransformer> trainer = _ml.Transforms.Concatenate("Features", "Twice")
            .Append(_ml.Regression.Trainers.Sdca(new SdcaRegressionTrainer.Options { NumberOfThreads = 1 }));

        Exception thrown = Assert.ThrowsAny<Exception>(() => trainer.Fit(rows));

        Assert.IsType<OperationCanceledException>(WorkerExceptions.FindCancellation(thrown));
    }

    // Saving: a contract is found in a registered assembly by its name, and the file names the assembly.

    [Fact]
    public void CustomMapping_Saved_IsLoadedOnlyWhereItsAssemblyIsKnown()
    {
        using var stream = new MemoryStream();
        IDataView rows = Rows();
        _ml.Model.Save(_ml.Transforms.CustomMapping(new TwiceFactory().GetMapping(), "ForwardSampling.Tests.Twice").Fit(rows),
            rows.Schema, stream);
        var known = new MLContext();
        known.ComponentCatalog.RegisterAssembly(typeof(MlNetTests).Assembly);

        stream.Position = 0;
        Assert.Equal(2f, known.Model.Load(stream, out _).Transform(rows).GetColumn<float>("Twice").ElementAt(1));
    }

    private IDataView Rows() => _ml.Data.LoadFromEnumerable(Enumerable.Range(0, RowCount)
        .Select(i => new Row { Label = i, Name = $"row {i}", Features = [i, i % 7] }));

    private IDataView Mapped() => _ml.Transforms.CustomMapping<Row, Twice>(
        (row, twice) =>
        {
            Interlocked.Increment(ref _mapped);
            twice.Value = 2 * row.Label;
        },
        contractName: null).Fit(Rows()).Transform(Rows());

    private sealed class Row
    {
        public float Label { get; set; }

        public string Name { get; set; } = "";

        [VectorType(2)]
        public float[] Features { get; set; } = [];
    }

    private sealed class KeyRow
    {
        [KeyType(3)]
        public uint Key { get; set; }

        [VectorType(2)]
        public float[] Features { get; set; } = [0, 0];
    }

    private sealed class Twice
    {
        [ColumnName("Twice")]
        public float Value { get; set; }
    }

    private sealed class State;

    [CustomMappingFactoryAttribute("ForwardSampling.Tests.Twice")]
    private sealed class TwiceFactory : CustomMappingFactory<Row, Twice>
    {
        public override Action<Row, Twice> GetMapping() => (row, twice) => twice.Value = 2 * row.Label;
    }

    /// <summary>Keeps a tenth of the rows, as a selection written as a stage of a pipeline would.</summary>
    private sealed class FilterEstimator(MLContext ml) : IEstimator<ITransformer>
    {
        public ITransformer Fit(IDataView input) => new Filter(ml);

        public SchemaShape GetOutputSchema(SchemaShape inputSchema) => inputSchema;

        private sealed class Filter(MLContext ml) : ITransformer
        {
            public bool IsRowToRowMapper => false;

            public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

            public IDataView Transform(IDataView input) => ml.Data.FilterRowsByColumn(input, "Label", lowerBound: 0,
                upperBound: RowCount / 10);

            public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

            public void Save(ModelSaveContext ctx) => throw new NotSupportedException();
        }
    }
}
