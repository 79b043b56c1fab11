namespace TorchSharp;

public static partial class torch
{
    /// <summary>A source of random numbers with its own state.</summary>
    public class Generator : IDisposable
    {
        private nint _handle;

        public Generator(ulong seed = 0, Device? device = null) : this(Native.Check(Native.ts_generator(0, seed))) => InitializeDevice(device);

        private Generator(nint handle) => _handle = handle;

        ~Generator() => Dispose(false);

        /// <summary>The global one.</summary>
        public static Generator Default => new(Native.Check(Native.ts_generator(1, 0)));

        internal nint Handle => _handle;

        public Generator manual_seed(long seed)
        {
            Native.ts_generator_seed(Handle, (ulong)seed);
            return this;
        }

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
