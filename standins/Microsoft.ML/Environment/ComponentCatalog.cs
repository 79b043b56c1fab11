using System.Reflection;

namespace Microsoft.ML.Runtime;

/// <summary>The custom-mapping contracts by name, as found in the assemblies registered here.</summary>
public sealed class ComponentCatalog
{
    private readonly Dictionary<string, ICustomMappingFactory> _contracts = [];
    private readonly HashSet<Assembly> _assemblies = [];
    internal ComponentCatalog() { }

    public void RegisterAssembly(Assembly assembly, bool throwOnError = true)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        lock (_contracts)
        {
            if (!_assemblies.Add(assembly))
                return;
            foreach (Type type in assembly.GetTypes())
            {
                if (type.GetCustomAttribute<ExtensionBaseAttribute>(inherit: false) is { } attribute)
                    RegisterContract(type, attribute.ContractName, throwOnError);
            }
        }
    }

    internal ICustomMappingFactory FindContract(string name)
    {
        lock (_contracts)
        {
            return _contracts.TryGetValue(name, out ICustomMappingFactory? factory)
                ? factory
                : throw new InvalidOperationException($"Unable to locate a custom mapping with contract name '{name}'");
        }
    }

    private void RegisterContract(Type type, string name, bool throwOnError)
    {
        if (type.IsAbstract || type.GetConstructor(Type.EmptyTypes) is null || !type.IsAssignableTo(typeof(ICustomMappingFactory)))
        {
            if (throwOnError)
                throw new InvalidOperationException($"{type} has contract name '{name}' but is not a CustomMappingFactory with a public parameterless constructor.");
        }
        else if (!_contracts.TryAdd(name, (ICustomMappingFactory)Activator.CreateInstance(type)!) && throwOnError)
        {
            throw new InvalidOperationException($"Duplicate custom mapping contract name '{name}'.");
        }
    }
}
