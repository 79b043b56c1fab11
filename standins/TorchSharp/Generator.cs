namespace TorchSharp;

public static partial class torch
{
    /// <summary>A source of random numbers with its own state.</summary>
    public class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null) : this(Native.Check(Native.ts_generator(0, seed))) =>
            this.device = InitializeDevice(device);

        private Generator(nint handle)
        {
            _handle = handle;
            device = CPU;
        }

        ~Generator() => Dispose(false);

        public static Generator Default => new(Native.Check(Native.ts_generator(1, 0)));

        public nint Handle => _handle;
        public Device device { get; }

        public Generator manual_seed(long seed)
        {
            Native.ts_generator_seed(Handle, 1, (ulong)seed);
            return this;
        }

        public long initial_seed() => (long)Native.ts_generator_seed(Handle, 0, 0);

        public Tensor get_state() => Tensor.Wrap(Native.ts_generator_state(Handle));

        public void set_state(Tensor value) => Native.Check(Native.ts_generator_set_state(Handle, value.Handle));

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (_handle != 0)
                Native.ts_generator_free(_handle);
            _handle = 0;
        }
    }
}
