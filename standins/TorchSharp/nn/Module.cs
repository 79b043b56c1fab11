using System.Reflection;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>A part of a network: parameters, buffers and parts of its own, each under a name.</summary>
        public class Module : IDisposable
        {
            // In order of registration: state dictionaries and optimizers depend on it.
            private readonly List<(string name, Module module)> _modules = [];
            private readonly List<(string name, Parameter parameter)> _parameterList = [];
            private readonly List<(string name, Tensor buffer)> _buffers = [];
            private bool _registered;
            private bool _training = true;

            protected string name;

            protected Module(string name) => this.name = name;

            ~Module() => Dispose(false);

            public virtual bool training => _training;

            public virtual void train(bool train = true)
            {
                _training = train;
                foreach ((_, Module module) in named_children())
                    module.train(train);
            }

            public virtual void eval() => train(false);

            /// <summary>Registers the fields that hold modules, parameters and tensors under the fields' names. The last call in a module's constructor.</summary>
            protected virtual void RegisterComponents()
            {
                if (_registered)
                    return;
                foreach (FieldInfo field in GetType().GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance))
                {
                    if (_modules.Exists(m => m.name == field.Name) || _parameterList.Exists(p => p.name == field.Name) || _buffers.Exists(b => b.name == field.Name))
                        continue;
                    switch (field.GetValue(this))
                    {
                        case Module module:
                            register_module(field.Name, module);
                            break;
                        case Parameter parameter:
                            register_parameter(field.Name, parameter);
                            break;
                        case Tensor buffer:
                            _buffers.Add((field.Name, buffer));
                            break;
                    }
                }
                _registered = true;
            }

            public virtual void register_module(string name, Module submodule)
            {
                if (submodule is null)
                    return;
                if (string.IsNullOrEmpty(name) || name.Contains('.'))
                    throw new ArgumentException($"A module's name can't be empty or contain \".\". Got \"{name}\".");
                if (_modules.Exists(m => m.name == name))
                    throw new InvalidOperationException($"Sub-module {name} is already registered.");
                submodule.RegisterComponents();
                _modules.Add((name, submodule));
            }

            public virtual void register_parameter(string name, Parameter param)
            {
                if (param is null || param.IsInvalid)
                    throw new ArgumentNullException(nameof(param), "A null tensor cannot be registered as a parameter.");
                if (_parameterList.Exists(p => p.name == name))
                    throw new InvalidOperationException($"Parameter {name} is already registered.");
                _parameterList.Add((name, param));
            }

            public virtual IEnumerable<(string name, Module module)> named_children() => _modules;
            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) =>
                Named(m => m._parameterList, recurse).DistinctBy(p => p.value.Handle);

            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(p => p.parameter);

            private IEnumerable<(string name, T value)> Named<T>(Func<Module, List<(string, T)>> own, bool recurse)
            {
                foreach (var item in own(this))
                    yield return item;
                if (!recurse)
                    yield break;
                foreach ((string outer, Module child) in named_children())
                {
                    foreach ((string inner, T value) in child.Named(own, true))
                        yield return ($"{outer}.{inner}", value);
                }
            }

            /// <summary>Parameters, then buffers, by their full names. The tensors are the module's own, not copies.</summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= [];
                string start = string.IsNullOrEmpty(prefix) ? "" : prefix + ".";
                foreach ((string key, Parameter parameter) in named_parameters())
                    destination.TryAdd(start + key, parameter);
                foreach ((string key, Tensor buffer) in Named(m => m._buffers, true))
                    destination.TryAdd(start + key, buffer);
                return destination;
            }

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing)
                    return;
                foreach ((_, Tensor buffer) in _buffers)
                    buffer.Dispose();
                foreach ((_, Parameter parameter) in _parameterList)
                    parameter.Dispose();
                foreach ((_, Module module) in named_children())
                    module.Dispose();
            }
        }

        /// <summary>Base of modules that can be called. Hooks are not part of the stand-in.</summary>
        public class HookableModule<TPreHook, TPostHook> : Module
        {
            protected HookableModule(string name) : base(name) { }
        }

        /// <summary>A module with one input.</summary>
        public abstract class Module<T, TResult> : HookableModule<Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>
        {
            protected Module(string name) : base(name) { }

            public abstract TResult forward(T input);

            public TResult call(T input) => forward(input);
        }
    }
}
