package import SwiftProtobufPluginLibrary

/// Builds the models of all files of a request that have services.
package struct ModelReader {
    private let mappings: ProtoFileToModuleMappings
    /// The names of a service that are declared in the generated code.
    private let declared: [WritableKeyPath<ServiceNames, String>]

    /// - Parameters:
    ///   - server: whether service protocols are generated.
    ///   - client: whether clients are generated.
    package init(
        mappings: ProtoFileToModuleMappings, server: Bool = true, client: Bool = true
    ) {
        self.mappings = mappings
        declared =
            (server ? [\.protocolName, \.synchronousName] : []) + [\.methodsName]
            + (client ? [\.clientName] : [])
    }

    /// Returns the models in the order of the request, each with the scope of its module.
    ///
    /// - Throws: `GenerationFailure` with the problems of all files.
    package func read(_ all: [FileDescriptor]) throws -> [(FileModel, ModuleScope)] {
        let files = all.filter { !$0.services.isEmpty }
        var builders = files.map { FileModelBuilder(file: $0, mappings: mappings) }
        var scopes: [String?: ModuleScope] = [:]
        for file in files where scopes[module(of: file)] == nil {
            scopes[module(of: file)] = ModuleScope(of: file, among: all, mappings: mappings)
        }
        // Names of services are required, so all files claim theirs before any optional alias.
        for index in files.indices {
            let module = module(of: files[index])
            builders[index].claimServiceNames(
                declared, in: &scopes[module, default: ModuleScope()])
        }
        let models = files.indices.map { index in
            let module = module(of: files[index])
            return builders[index].build(in: &scopes[module, default: ModuleScope()])
        }
        let problems = builders.flatMap(\.problems)
        guard problems.isEmpty else { throw GenerationFailure(problems: problems) }
        return zip(files, models).map { file, model in
            (model, scopes[module(of: file), default: ModuleScope()])
        }
    }

    private func module(of file: FileDescriptor) -> String? { mappings.moduleName(forFile: file) }
}
