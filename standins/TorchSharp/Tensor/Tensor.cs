using System.Runtime.InteropServices;
using TorchSharp.Utils;
using Info = TorchSharp.Native.Info;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>An n-dimensional array owned by libtorch. Registers with the thread's innermost dispose scope when made.</summary>
    public partial class Tensor : IDisposable
    {
        private nint _handle;

        internal Tensor(nint handle)
        {
            _handle = handle;
            if (handle != 0)
                OwningScope = DisposeScopeManager.Current.Register(this);
        }

        ~Tensor()
        {
            if (_handle != 0)
                Native.ts_free(_handle);
        }

        internal DisposeScope? OwningScope { get; set; }

        internal static Tensor Wrap(nint handle) => new(Native.Check(handle));

        internal static nint[] Handles(IEnumerable<Tensor>? tensors) => tensors is null ? [] : [.. tensors.Select(t => t.Handle)];

        internal nint Handle => _handle != 0 ? _handle : throw new InvalidOperationException("Tensor invalid -- empty handle.");
        public bool IsInvalid => _handle == 0;

        public void Dispose()
        {
            if (_handle != 0)
                Native.ts_free(DecoupleFromNativeHandle());
        }

        /// <summary>Hands the native tensor to the caller; this one is empty and in no scope afterwards.</summary>
        internal nint DecoupleFromNativeHandle()
        {
            nint handle = Handle;
            OwningScope?.MarkAsDisposed(this);
            _handle = 0;
            GC.SuppressFinalize(this);
            return handle;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningScope?.Detach(this);
            return this;
        }

        public override string ToString() => IsInvalid ? "[]" : $"[{string.Join("x", shape)}], type = {dtype}, device = {device}";

        // Facts

        public long numel() => Native.ts_info(Info.Elements, Handle);
        public ScalarType dtype => (ScalarType)Native.ts_info(Info.Type, Handle);
        public Device device => new(device_type, device_index);
        public DeviceType device_type => DeviceType.CPU;
        public int device_index => -1;
        public bool is_contiguous() => Native.ts_info(Info.Contiguous, Handle) != 0;

        public unsafe long[] shape
        {
            get
            {
                long[] sizes = new long[Native.ts_info(Info.Dimensions, Handle)];
                fixed (long* s = sizes)
                    Native.ts_sizes(Handle, s);
                return sizes;
            }
        }

        public bool requires_grad
        {
            get => Native.ts_info(Info.RequiresGrad, Handle) != 0;
            set => Native.Check(Native.ts_set_requires_grad(Handle, value ? 1 : 0));
        }

        public Tensor with_requires_grad(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        // Memory

        /// <summary>The elements as bytes, in place. The fastest way in and out; the tensor must stay alive and be contiguous.</summary>
        public unsafe Span<byte> bytes
        {
            get
            {
                if (!is_contiguous())
                    throw new InvalidOperationException("Bytes() called on non-contiguous tensor.");
                long length = numel() * Native.ts_info(Info.ElementSize, Handle);
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
            Type? own = dtype switch
            {
                ScalarType.Int64 => typeof(long),
                ScalarType.Float32 => typeof(float),
                ScalarType.Float64 => typeof(double),
                ScalarType.Bool => typeof(bool),
                _ => null,
            };
            return own == typeof(T) ? new TensorAccessor<T>(this) : throw new ArgumentException($"{typeof(T).Name} is not compatible with {dtype}");
        }

        public T item<T>() where T : unmanaged => numel() == 1 ? data<T>().ToArray()[0] : throw new ArgumentException("Number of elements in the tensor must be 1");

        public Tensor copy_(Tensor source, bool nonBlocking = false)
        {
            int status = Native.ts_copy_(Handle, source.Handle, nonBlocking ? 1 : 0);
            GC.KeepAlive(source);
            return Keep(status);
        }

        public Tensor cpu() => alias();
        public Tensor @float() => type(ScalarType.Float32);
        internal Tensor type(ScalarType dtype) => Keep(Native.ts_to_type(Handle, (int)dtype));

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
