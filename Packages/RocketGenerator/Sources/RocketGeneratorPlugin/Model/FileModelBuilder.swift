import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Reads one .proto file's descriptor into a `FileModel`, and tells all that stands against it.
struct FileModelBuilder {
    private let file: FileDescriptor
    private let mappings: ProtoFileToModuleMappings
    private let namer: SwiftProtobufNamer
    private(set) var problems: [ProtoProblem] = []

    init(file: FileDescriptor, mappings: ProtoFileToModuleMappings) {
        self.file = file
        self.mappings = mappings
        namer = SwiftProtobufNamer(currentFile: file, protoFileToModuleMappings: mappings)
    }

    /// Enters the Swift names of the file's services into its module's.
    mutating func claimServiceNames(in scope: inout ModuleScope) {
        for service in file.services {
            let owner = "service '\(service.fullName)'"
            for name in names(of: service).all {
                guard let other = scope.claim(name, for: owner) else { continue }
                problems.append(
                    ProtoProblem(
                        "\(owner) needs the Swift name '\(name)', which \(other) has",
                        at: service, in: file))
            }
        }
    }

    /// Builds the model. It is only good for writing where `problems` is empty afterwards.
    ///
    /// - Parameter scope: the module's names, with all its services' names in it; the second
    ///   names of the file's messages are entered.
    mutating func build(in scope: inout ModuleScope) -> FileModel {
        let messageNames = claimMessageNames(in: &scope)
        let aliases = Dictionary(
            messageNames.map { ($0.original, $0.alias) }, uniquingKeysWith: { first, _ in first })
        return FileModel(
            protoPath: file.name, messageModules: messageModules(), messageNames: messageNames,
            descriptors: DescriptorBytes.of(file),
            services: file.services.map { model(of: $0, aliases: aliases) })
    }

    private func names(of service: ServiceDescriptor) -> ServiceNames {
        ServiceNames(service: service.name, prefix: namer.typePrefix(forFile: file))
    }

    private mutating func model(
        of service: ServiceDescriptor, aliases: [String: String]
    ) -> ServiceModel {
        let names = names(of: service)
        return ServiceModel(
            fullName: service.fullName, protocolName: names.protocolName,
            synchronousName: names.synchronousName, methodsName: names.methodsName,
            clientName: names.clientName,
            comment: CommentLines.of(service),
            isDeprecated: service.options.deprecated || file.options.deprecated,
            methods: methods(of: service, aliases: aliases))
    }

    /// Requests and responses of this file whose names begin lower case get a second name, where
    /// it is free. One-word names do not: `task` or `error` would hide Swift's own.
    private func claimMessageNames(in scope: inout ModuleScope) -> [MessageName] {
        let used = Set(methodMessages().map(\.fullName))
        return file.messages.compactMap { message in
            let original = namer.relativeName(message: message)
            let alias = SwiftName.upperCamel(original)
            guard used.contains(message.fullName), original.first?.isLowercase == true,
                SwiftName.hasSeveralWords(original),
                scope.claim(alias, for: "message '\(message.fullName)'") == nil
            else { return nil }
            return MessageName(alias: alias, original: original)
        }
    }

    private mutating func methods(
        of service: ServiceDescriptor, aliases: [String: String]
    ) -> [MethodModel] {
        var bySwiftName: [String: String] = [:]
        return service.methods.compactMap { method in
            refuseStreams(method)
            guard let name = swiftName(of: method, taken: &bySwiftName) else { return nil }
            let request = namer.fullName(message: method.inputType)
            let response = namer.fullName(message: method.outputType)
            return MethodModel(
                name: method.name, swiftName: SwiftName.escaped(name),
                request: aliases[request] ?? request, response: aliases[response] ?? response,
                comment: CommentLines.of(method), isDeprecated: method.options.deprecated,
                businessFields: businessFields(of: method.outputType))
        }
    }

    /// The fields that carry a refusal by the convention of rocket and tinyrpc. A member of a
    /// oneof is none: setting it would clear the others.
    private func businessFields(of message: Descriptor) -> BusinessFields? {
        func swiftName(_ name: String, _ type: Google_Protobuf_FieldDescriptorProto.TypeEnum)
            -> String?
        {
            let field = message.fields.first { $0.name == name && $0.type == type }
            guard let field, !field.isRepeated, field.realContainingOneof == nil else { return nil }
            return namer.messagePropertyNames(field: field, prefixed: "", includeHasAndClear: false)
                .name
        }
        guard let code = swiftName("ret_code", .int32), let info = swiftName("res_info", .string)
        else { return nil }
        return BusinessFields(code: code, info: info)
    }

    private mutating func swiftName(
        of method: MethodDescriptor, taken: inout [String: String]
    ) -> String? {
        guard let name = SwiftName.method(method.name) else {
            let message = "method '\(method.fullName)' has no name that Swift can have"
            problems.append(ProtoProblem(message, at: method, in: file))
            return nil
        }
        if let other = taken.updateValue(method.fullName, forKey: name) {
            let message =
                "methods '\(other)' and '\(method.fullName)' would both be '\(name)' in Swift"
            problems.append(ProtoProblem(message, at: method, in: file))
        }
        return name
    }

    private mutating func refuseStreams(_ method: MethodDescriptor) {
        let streamed: String
        switch (method.clientStreaming, method.serverStreaming) {
        case (false, false): return
        case (true, false): streamed = "requests"
        case (false, true): streamed = "responses"
        case (true, true): streamed = "requests and responses"
        }
        let message =
            "method '\(method.fullName)' streams its \(streamed): Rocket has only unary methods"
        problems.append(ProtoProblem(message, at: method, in: file))
    }

    /// Requests and responses of all methods, also more than once.
    private func methodMessages() -> [Descriptor] {
        let methods = file.services.flatMap(\.methods)
        return methods.compactMap(\.inputType) + methods.compactMap(\.outputType)
    }

    private func messageModules() -> [String] {
        let modules = methodMessages().compactMap { mappings.moduleName(forFile: $0.file) }
        return Set(modules).subtracting([namer.targetModule]).sorted()
    }
}
