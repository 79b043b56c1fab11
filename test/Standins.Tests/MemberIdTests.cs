using System.Reflection;

namespace Standins.Tests;

/// <summary>The ID writer against IDs written by hand from the C# specification.</summary>
public sealed class MemberIdTests
{
    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Theory]
    [InlineData("Plain", "M:Standins.Tests.Shapes`1.Plain")]
    [InlineData("Arrays", "M:Standins.Tests.Shapes`1.Arrays(System.Int32[],System.Int32[0:,0:],System.Int32[][])")]
    [InlineData("References", "M:Standins.Tests.Shapes`1.References(System.Int32@,`0@,System.String@)")]
    [InlineData("Generics", "M:Standins.Tests.Shapes`1.Generics``2(`0,``0,System.Collections.Generic.IDictionary{``1,`0[]})")]
    [InlineData("Nullables", "M:Standins.Tests.Shapes`1.Nullables(System.Nullable{System.Int64},System.String)")]
    [InlineData("Tuples", "M:Standins.Tests.Shapes`1.Tuples(System.ValueTuple{System.Int32,`0})")]
    [InlineData("Nested", "M:Standins.Tests.Shapes`1.Nested(Standins.Tests.Shapes{`0}.Inner,Standins.Tests.Shapes{System.Int32}.Pair{System.String})")]
    [InlineData("Pointers", "M:Standins.Tests.Shapes`1.Pointers(System.Byte*)")]
    [InlineData("op_Addition", "M:Standins.Tests.Shapes`1.op_Addition(Standins.Tests.Shapes{`0},Standins.Tests.Shapes{`0})")]
    [InlineData("op_Implicit", "M:Standins.Tests.Shapes`1.op_Implicit(Standins.Tests.Shapes{`0})")]
    [InlineData(".ctor", "M:Standins.Tests.Shapes`1.#ctor(`0)")]
    [InlineData("Item", "P:Standins.Tests.Shapes`1.Item(System.Int32)")]
    [InlineData("Changed", "E:Standins.Tests.Shapes`1.Changed")]
    [InlineData("Field", "F:Standins.Tests.Shapes`1.Field")]
    [InlineData("Inner", "T:Standins.Tests.Shapes`1.Inner")]
    [InlineData("Pair`1", "T:Standins.Tests.Shapes`1.Pair`1")]
    public void Of_EachKindOfMember_WritesItsDocumentationId(string name, string id) =>
        Assert.Equal(id, MemberId.Of(typeof(Shapes<>).GetMembers(All).First(m => m.Name == name && m is not FieldInfo { IsPrivate: true })));
}

#pragma warning disable CA1045, CA1051, CA1814, CA2225, CS0067, CA1822, CA1000, CA1815 // members that only reflection looks at

public unsafe class Shapes<T>(T field)
{
    public T Field = field;

    public event EventHandler? Changed;

    public int this[int index] => index;

    public static Shapes<T> operator +(Shapes<T> left, Shapes<T> right) => left ?? right;

    public static implicit operator T(Shapes<T> shapes) => shapes.Field;

    public void Plain()
    {
    }

    public void Arrays(int[] one, int[,] two, int[][] jagged) => _ = (one, two, jagged);

    public void References(ref int number, out T value, in string text) => (number, value) = (text.Length, Field);

    public void Generics<TA, TB>(T value, TA first, IDictionary<TB, T[]> map) => _ = (value, first, map);

    public void Nullables(long? number, string? text) => _ = (number, text);

    public void Tuples((int, T) pair) => _ = pair;

    public void Nested(Inner inner, Shapes<int>.Pair<string> pair) => _ = (inner, pair);

    public void Pointers(byte* address) => _ = address == null;

    public sealed class Inner;

    public struct Pair<TU>;
}
