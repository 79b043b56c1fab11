using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Microsoft.Build.Framework;

#nullable enable

namespace Microsoft.ML.ForwardSampling.Build;

/// <summary>
/// Makes a copied native library load beside a libstdc++ that is older than the one it was linked with, where it needs nothing that is new
/// there.
/// </summary>
/// <remarks>
/// A shared library lists the versions of libstdc++ that the linker saw (section .gnu.version_r), used or not, and the loader refuses the
/// library when one is missing. A version flagged weak (VER_FLG_WEAK) may be missing. This task flags those that no relocation refers to:
/// nothing is ever looked up under them. TorchSharp 0.107.0 asks for GLIBCXX_3.4.32 (GCC 13) in this way, for one symbol that it never
/// uses. A version that is used is left alone, and the loader's message stays what it was.
/// The changed file is written beside the old one and renamed over it, for the old one may be a hard link into the package cache.
/// MSBuild compiles this file for the build (RoslynCodeTaskFactory), the tests as a part of their own: .NET Standard 2.0 only.
/// </remarks>
public sealed class WeakenUnusedVersions : Microsoft.Build.Utilities.Task
{
    private const string Provider = "libstdc++.so.6";
    private const ushort Weak = 2; // VER_FLG_WEAK

    private static readonly string[] LibraryFolders =
    {
        "/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib/aarch64-linux-gnu",
        "/usr/lib64", "/lib64", "/usr/lib", "/lib", "/usr/local/lib64", "/usr/local/lib",
    };

    /// <summary>The copied files; those that do not exist or are no 64-bit ELF libraries are passed over.</summary>
    [Required]
    public ITaskItem[] Files { get; set; } = Array.Empty<ITaskItem>();

    /// <summary>Whether to flag every unused version, also those that this machine's libstdc++ has: for output that runs on another
    /// machine.</summary>
    public bool Always { get; set; }

    /// <inheritdoc/>
    public override bool Execute()
    {
        string? provider = FindProvider();
        if (provider == null && !Always)
            return true; // nothing to compare with: the loader will say what is missing
        HashSet<string> present = Always ? new HashSet<string>() : DefinedVersions(File.ReadAllBytes(provider!));
        foreach (ITaskItem file in Files)
        {
            string path = file.ItemSpec;
            if (!File.Exists(path))
                continue;
            IReadOnlyList<string> changed = WeakenFile(path, present);
            if (changed.Count > 0)
                Log.LogMessage(MessageImportance.Normal, "{0}: {1} may now be missing; nothing in it refers to {2}.", path,
                    string.Join(", ", changed), changed.Count == 1 ? "it" : "them");
        }

        return !Log.HasLoggedErrors;
    }

    /// <summary>Flags in a file the unused versions of libstdc++ that are not among those present; the file is replaced only if that
    /// changes it.</summary>
    /// <returns>The names that were flagged.</returns>
    public static IReadOnlyList<string> WeakenFile(string path, ICollection<string> present)
    {
        byte[] bytes = File.ReadAllBytes(path);
        ElfLibrary? library = ElfLibrary.TryRead(bytes);
        if (library == null)
            return Array.Empty<string>();
        var changed = new List<string>();
        HashSet<int>? used = library.UsedVersions();
        if (used == null)
            return changed;
        foreach (ElfLibrary.NeededVersion version in library.NeededVersions().Where(v => v.File == Provider))
        {
            if ((version.Flags & Weak) != 0 || present.Contains(version.Name) || used.Contains(version.Index))
                continue;
            bytes[version.FlagsOffset] |= (byte)Weak;
            changed.Add(version.Name);
        }

        if (changed.Count == 0)
            return changed;
        string temporary = path + "." + Guid.NewGuid().ToString("N");
        try
        {
            File.Copy(path, temporary); // for its mode
            File.WriteAllBytes(temporary, bytes);
            // Copying compares size and time: with the old time an unchanged package is not copied over this file again.
            File.SetLastWriteTimeUtc(temporary, File.GetLastWriteTimeUtc(path));
            Replace(temporary, path);
        }
        finally
        {
            File.Delete(temporary);
        }

        return changed;
    }

    /// <summary>The versions that a library defines.</summary>
    public static HashSet<string> DefinedVersions(byte[] library)
        => new HashSet<string>(ElfLibrary.TryRead(library)?.DefinedVersions() ?? Enumerable.Empty<string>());

    /// <summary>The versions that a library asks libstdc++ for, each with whether it may be missing.</summary>
    public static IReadOnlyDictionary<string, bool> NeededVersions(byte[] library)
        => (ElfLibrary.TryRead(library)?.NeededVersions() ?? Enumerable.Empty<ElfLibrary.NeededVersion>())
            .Where(v => v.File == Provider).ToDictionary(v => v.Name, v => (v.Flags & Weak) != 0);

    private static void Replace(string from, string to)
    {
        try
        {
            File.Replace(from, to, null); // one rename: a program that starts now sees the old file or the new one
        }
        catch (Exception e) when (e is IOException || e is PlatformNotSupportedException)
        {
            File.Delete(to);
            File.Move(from, to);
        }
    }

    private static string? FindProvider()
        => (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "").Split(new[] { ':' }, StringSplitOptions.RemoveEmptyEntries)
            .Concat(LibraryFolders).Select(folder => Path.Combine(folder, Provider)).FirstOrDefault(File.Exists);

    /// <summary>What the dynamic loader reads of a little-endian 64-bit ELF file about versions; offsets by the System V ABI and the Linux
    /// Standard Base.</summary>
    private sealed class ElfLibrary
    {
        private const uint Rela = 4, Rel = 9, DynamicSymbols = 11, VersionDefinitions = 0x6ffffffd, VersionNeeds = 0x6ffffffe,
            SymbolVersions = 0x6fffffff;

        private readonly byte[] _bytes;
        private readonly List<Section> _sections = new List<Section>();

        private ElfLibrary(byte[] bytes)
        {
            _bytes = bytes;
            long table = (long)U64(0x28);
            int size = U16(0x3a), count = U16(0x3c);
            for (int i = 0; i < count; i++)
            {
                long at = table + (long)i * size;
                _sections.Add(new Section(U32(at + 4), (long)U64(at + 24), (long)U64(at + 32), (int)U32(at + 40), (int)U32(at + 44)));
            }
        }

        /// <summary>The library; null where the bytes are none, or are damaged.</summary>
        public static ElfLibrary? TryRead(byte[] bytes)
        {
            // 0x7f E L F, 64 bits, little-endian
            if (bytes.Length < 64 || bytes[0] != 0x7f || bytes[1] != 'E' || bytes[2] != 'L' || bytes[3] != 'F' || bytes[4] != 2
                || bytes[5] != 1)
                return null;
            try
            {
                return new ElfLibrary(bytes);
            }
            catch (Exception e) when (e is ArgumentException || e is OverflowException)
            {
                return null; // headers beyond the end
            }
        }

        public IEnumerable<NeededVersion> NeededVersions()
        {
            foreach (Section section in _sections.Where(s => s.Type == VersionNeeds))
            {
                long names = _sections[section.Link].Offset, need = section.Offset;
                for (int i = 0; i < section.Info; i++)
                {
                    string file = Text(names + U32(need + 4));
                    long entry = need + U32(need + 8);
                    for (int j = 0; j < U16(need + 2); j++)
                    {
                        yield return new NeededVersion(file, Text(names + U32(entry + 8)), U16(entry + 4), entry + 4, U16(entry + 6));
                        entry += U32(entry + 12);
                    }

                    need += U32(need + 12);
                }
            }
        }

        public IEnumerable<string> DefinedVersions()
        {
            foreach (Section section in _sections.Where(s => s.Type == VersionDefinitions))
            {
                long names = _sections[section.Link].Offset, definition = section.Offset;
                for (int i = 0; i < section.Info; i++)
                {
                    yield return Text(names + U32(definition + U32(definition + 12)));
                    definition += U32(definition + 16);
                }
            }
        }

        /// <summary>Version indices of the symbols that some relocation names; null where the library does not say which version a symbol
        /// has.</summary>
        public HashSet<int>? UsedVersions()
        {
            var used = new HashSet<int>();
            Section? versions = _sections.FirstOrDefault(s => s.Type == SymbolVersions);
            if (versions == null)
                return null;
            foreach (Section section in _sections.Where(s => (s.Type == Rela || s.Type == Rel) && s.Link < _sections.Count
                && _sections[s.Link].Type == DynamicSymbols))
            {
                int entry = section.Type == Rela ? 24 : 16;
                for (long at = section.Offset; at + entry <= section.Offset + section.Size; at += entry)
                {
                    long symbol = U32(at + 12); // the upper half of r_info
                    if (symbol != 0)
                        used.Add(U16(versions.Offset + 2 * symbol) & 0x7fff);
                }
            }

            return used;
        }

        private ushort U16(long at) => BitConverter.ToUInt16(_bytes, checked((int)at));

        private uint U32(long at) => BitConverter.ToUInt32(_bytes, checked((int)at));

        private ulong U64(long at) => BitConverter.ToUInt64(_bytes, checked((int)at));

        private string Text(long at)
        {
            int end = Array.IndexOf(_bytes, (byte)0, checked((int)at));
            return Encoding.ASCII.GetString(_bytes, (int)at, end - (int)at);
        }

        private sealed class Section
        {
            public Section(uint type, long offset, long size, int link, int info)
            {
                Type = type;
                Offset = offset;
                Size = size;
                Link = link;
                Info = info;
            }

            public uint Type { get; }

            public long Offset { get; }

            public long Size { get; }

            public int Link { get; }

            public int Info { get; }
        }

        public sealed class NeededVersion
        {
            public NeededVersion(string file, string name, ushort flags, long flagsOffset, int index)
            {
                File = file;
                Name = name;
                Flags = flags;
                FlagsOffset = flagsOffset;
                Index = index & 0x7fff;
            }

            public string File { get; }

            public string Name { get; }

            public ushort Flags { get; }

            public long FlagsOffset { get; }

            public int Index { get; }
        }
    }
}
