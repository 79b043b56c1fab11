using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp.Utils;
using Info = TorchSharp.Native.Info;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>An n-dimensional array owned by libtorch. Registers with the thread's innermost dispose scope when made.</summary>
    public partial class Tensor : IDisposable
    {
        private static long s_totalCount;
        private static long s_peakCount;

        private nint _handle;

        internal Tensor(nint handle)
        {
            _handle = handle;
            if (handle == 0)
                return;
            long live = Interlocked.Increment(ref s_totalCount);
            if (live > s_peakCount)
                s_peakCount = live;
            OwningScope = DisposeScopeManager.Current.Register(this);
        }

        ~Tensor()
        {
            if (_handle == 0)
                return;
            Native.ts_free(_handle);
            Forget();
        }

        internal DisposeScope? OwningScope { get; set; }

        internal static Tensor Wrap(nint handle) => new(Native.Check(handle));

        internal static nint[] Handles(IEnumerable<Tensor>? tensors) => tensors is null ? [] : [.. tensors.Select(t => t.Handle)];

        /// <summary>Live tensors of the process.</summary>
        public static long TotalCount => Interlocked.Read(ref s_totalCount);

        public static long PeakCount => s_peakCount;

        public nint Handle => _handle != 0 ? _handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");
        public bool IsInvalid => _handle == 0;
        public string? name { get; set; }

        public void Dispose()
        {
            if (_handle != 0)
                Native.ts_free(DecoupleFromNativeHandle());
        }

        /// <summary>Hands the native tensor to the caller; this one is empty and in no scope afterwards.</summary>
        public nint DecoupleFromNativeHandle()
        {
            nint handle = Handle;
            OwningScope?.MarkAsDisposed(this);
            Forget();
            GC.SuppressFinalize(this);
            return handle;
        }

        private void Forget()
        {
            _handle = 0;
            Interlocked.Decrement(ref s_totalCount);
        }

        public static Tensor UnsafeCreateTensor(nint handle) => new(handle);

        public Tensor MoveToOuterDisposeScope()
        {
            OwningScope?.MoveToOuter(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningScope?.Detach(this);
            return this;
        }

        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);
        public bool Equals(Tensor target) => ReferenceEquals(this, target) || (shape.AsSpan().SequenceEqual(target.shape) && eq(target).all().ToBoolean());
        public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

        public override string ToString() => IsInvalid ? "[]" : $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";

        // Facts

        public long Dimensions => Native.ts_info(Info.Dimensions, Handle);
        public long ndim => Dimensions;
        public long dim() => Dimensions;
        public long NumberOfElements => Native.ts_info(Info.Elements, Handle);
        public long numel() => NumberOfElements;
        public long ElementSize => Native.ts_info(Info.ElementSize, Handle);
        public ScalarType dtype => (ScalarType)Native.ts_info(Info.Type, Handle);
        public Device device => new(device_type, device_index);
        public DeviceType device_type => DeviceType.CPU;
        public int device_index => -1;
        public bool is_cuda => false;
        public bool is_cpu() => true;
        public bool is_leaf => Native.ts_info(Info.IsLeaf, Handle) != 0;
        public bool is_contiguous() => Native.ts_info(Info.Contiguous, Handle) != 0;
        public bool is_floating_point() => dtype is ScalarType.Float16 or ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16;
        public bool is_integral() => dtype is ScalarType.Byte or ScalarType.Int8 or ScalarType.Int16 or ScalarType.Int32 or ScalarType.Int64 or ScalarType.Bool;
        public bool is_nonzero() => NumberOfElements == 1 ? this.ToBoolean() : throw new InvalidOperationException("is_nonzero() called on non-singleton tensor");
        public long storage_offset() => Native.ts_info(Info.StorageOffset, Handle);

        public long[] shape => SizesAndStrides().sizes;
        public long[] size() => shape;
        public long[] stride() => SizesAndStrides().strides;

        public long size(int dim)
        {
            int count = (int)Dimensions;
            if (dim < -count || dim >= count)
                throw new ExternalException($"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but got {dim})");
            return Native.ts_size(Handle, dim < 0 ? dim + count : dim);
        }

        private unsafe (long[] sizes, long[] strides) SizesAndStrides()
        {
            long[] sizes = new long[Dimensions], strides = new long[sizes.Length];
            fixed (long* s = sizes, t = strides)
                Native.ts_sizes(Handle, s, t);
            return (sizes, strides);
        }

        public bool requires_grad
        {
            get => Native.ts_info(Info.RequiresGrad, Handle) != 0;
            set => Native.Check(Native.ts_set_requires_grad(Handle, value ? 1 : 0));
        }

        public Tensor requires_grad_(bool requires_grad = true) => with_requires_grad(requires_grad);

        public Tensor with_requires_grad(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public void retain_grad() => Native.Check(Native.ts_retain_grad(Handle));

        public void backward() => backward(null);

        public void backward(IList<Tensor>? grad_tensors = null, bool create_graph = false, bool retain_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        // Memory

        /// <summary>The elements as bytes, in place. The fastest way in and out; the tensor must stay alive and be contiguous.</summary>
        public unsafe Span<byte> bytes
        {
            get
            {
                if (!is_contiguous())
                    throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
                long length = NumberOfElements * ElementSize;
                if (length > int.MaxValue)
                    throw new ArgumentException("Span only supports up to int.MaxValue elements.");
                return new Span<byte>(Native.ts_data(Handle), (int)length);
            }
            set
            {
                Span<byte> own = bytes;
                if (own.Length != value.Length)
                    throw new ArgumentException("Mismatched data sizes in SetBytes().");
                value.CopyTo(own);
            }
        }

        public TensorAccessor<T> data<T>() where T : unmanaged
        {
            ValidateType(typeof(T));
            return new TensorAccessor<T>(this);
        }

        public T item<T>() where T : unmanaged
        {
            if (NumberOfElements != 1)
                throw new ArgumentException("Number of elements in the tensor must be 1");
            return data<T>()[0];
        }

        public unsafe Scalar ToScalar()
        {
            int kind;
            long bits;
            Native.Check(Native.ts_item(Handle, &kind, &bits));
            GC.KeepAlive(this);
            return new Scalar(kind, bits);
        }

        private void ValidateType(Type type)
        {
            Type? own = dtype switch
            {
                ScalarType.Byte => typeof(byte),
                ScalarType.Int8 => typeof(sbyte),
                ScalarType.Int16 => typeof(short),
                ScalarType.Int32 => typeof(int),
                ScalarType.Int64 => typeof(long),
                ScalarType.Bool => typeof(bool),
                ScalarType.Float16 => typeof(Half),
                ScalarType.Float32 => typeof(float),
                ScalarType.Float64 => typeof(double),
                _ => null,
            };
            if (own != type)
                throw new ArgumentException($"{type.Name} is not compatible with {dtype}");
        }

        public float ReadCpuSingle(long i) => data<float>()[i];
        public double ReadCpuDouble(long i) => data<double>()[i];
        public long ReadCpuInt64(long i) => data<long>()[i];

        public Tensor copy_(Tensor source, bool nonBlocking = false)
        {
            Native.Check(Native.ts_copy_(Handle, source.Handle, nonBlocking ? 1 : 0));
            GC.KeepAlive(source);
            return this;
        }

        public Tensor cpu() => alias();
        public Tensor type(ScalarType dtype) => Keep(Native.ts_to_type(Handle, (int)dtype));
        public Tensor type_as(Tensor tensor) => type(tensor.dtype);
        public Tensor @float() => type(ScalarType.Float32);
        public Tensor @double() => type(ScalarType.Float64);
        public Tensor @long() => type(ScalarType.Int64);
        public Tensor @int() => type(ScalarType.Int32);
        public Tensor @byte() => type(ScalarType.Byte);
        public Tensor @bool() => type(ScalarType.Bool);

        /// <summary>Wraps a result computed from this tensor, which must outlive the native call.</summary>
        private Tensor Keep(nint result)
        {
            GC.KeepAlive(this);
            return Wrap(result);
        }

        /// <summary>Reports an in-place operation's failure and returns this tensor.</summary>
        private Tensor Keep(int status)
        {
            Native.Check(status);
            return this;
        }
    }
}

/// <summary>Conversions of tensors with one element, and parameters.</summary>
public static class TensorExtensionMethods
{
    public static float ToSingle(this torch.Tensor value) => value.ToScalar().ToSingle();
    public static double ToDouble(this torch.Tensor value) => value.ToScalar().ToDouble();
    public static int ToInt32(this torch.Tensor value) => value.ToScalar().ToInt32();
    public static long ToInt64(this torch.Tensor value) => value.ToScalar().ToInt64();
    public static bool ToBoolean(this torch.Tensor value) => value.ToScalar().ToBoolean();
    public static Modules.Parameter AsParameter(this torch.Tensor tensor) => new(tensor);
}
