import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Converts the descriptor of one .proto file into a `FileModel` and collects the file's problems.
struct FileModelBuilder {
    private let file: FileDescriptor
    private let mappings: ProtoFileToModuleMappings
    private let namer: SwiftProtobufNamer
    private(set) var problems: [ProtoProblem] = []
    /// The names that `claimServiceNames` has found, by the service's full name.
    private var serviceNames: [String: ServiceNames] = [:]

    init(file: FileDescriptor, mappings: ProtoFileToModuleMappings) {
        self.file = file
        self.mappings = mappings
        namer = SwiftProtobufNamer(currentFile: file, protoFileToModuleMappings: mappings)
    }

    /// Adds the Swift names of the file's services to its module's scope. A name that is taken is
    /// replaced by its longer form; it is a problem if that is taken, too.
    ///
    /// - Parameter declared: the names that the generated code declares.
    mutating func claimServiceNames(
        _ declared: [WritableKeyPath<ServiceNames, String>], in scope: inout ModuleScope
    ) {
        for service in file.services {
            let owner = "service '\(service.fullName)'"
            let prefix = namer.typePrefix(forFile: file)
            var names = ServiceNames(service: service.name, prefix: prefix)
            let long = ServiceNames(service: service.name, prefix: prefix, isLong: true)
            for name in declared {
                guard let other = scope.claim(names[keyPath: name], for: owner) else { continue }
                let plain = names[keyPath: name]
                names[keyPath: name] = long[keyPath: name]
                guard let second = scope.claim(long[keyPath: name], for: owner) else { continue }
                problems.append(
                    ProtoProblem(
                        "\(owner) needs the Swift name '\(plain)' or '\(long[keyPath: name])', "
                            + "which are taken by \(other) and \(second)", at: service, in: file))
            }
            serviceNames[service.fullName] = names
        }
    }

    /// Builds the model, which is only valid if `problems` is empty afterwards.
    ///
    /// - Parameter scope: the names of the module, which must contain those of all its services;
    ///   aliases of the file's messages are added.
    mutating func build(in scope: inout ModuleScope) -> FileModel {
        let messageNames = claimMessageNames(in: &scope)
        let aliases = Dictionary(
            messageNames.map { ($0.original, $0.alias) }, uniquingKeysWith: { first, _ in first })
        return FileModel(
            protoPath: file.name, messageModules: messageModules(), messageNames: messageNames,
            descriptors: serializedDescriptors(),
            services: file.services.map { model(of: $0, aliases: aliases) })
    }

    private func names(of service: ServiceDescriptor) -> ServiceNames {
        serviceNames[service.fullName]
            ?? ServiceNames(service: service.name, prefix: namer.typePrefix(forFile: file))
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

    /// Returns an alias for each request and response of this file whose name begins with a
    /// lower-case letter, unless the alias is taken. Single words get none: the aliases of `task`
    /// and `error` would hide types of Swift.
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
            guard let name = swiftName(of: method, taken: &bySwiftName) else { return nil }
            let request = namer.fullName(message: method.inputType)
            let response = namer.fullName(message: method.outputType)
            let kind = MethodKind(
                streamsRequests: method.clientStreaming, streamsResponses: method.serverStreaming)
            return MethodModel(
                name: method.name, swiftName: SwiftName.escaped(name), kind: kind,
                request: aliases[request] ?? request, response: aliases[response] ?? response,
                comment: CommentLines.of(method), isDeprecated: method.options.deprecated,
                businessFields: kind.streamsResponses
                    ? nil : businessFields(of: method.outputType))
        }
    }

    /// Returns the fields that carry a refusal by the convention of rocket and tinyrpc, if the
    /// message has both. A member of a oneof does not count: setting it would clear the others.
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
            let message = "method '\(method.fullName)' has no valid name in Swift"
            problems.append(ProtoProblem(message, at: method, in: file))
            return nil
        }
        if let other = taken.updateValue(method.fullName, forKey: name) {
            let message =
                "methods '\(other)' and '\(method.fullName)' have the same name '\(name)' in Swift"
            problems.append(ProtoProblem(message, at: method, in: file))
        }
        return name
    }

    /// Requests and responses of all methods; a message can occur several times.
    private func methodMessages() -> [Descriptor] {
        let methods = file.services.flatMap(\.methods)
        return methods.compactMap(\.inputType) + methods.compactMap(\.outputType)
    }

    private func messageModules() -> [String] {
        let modules = methodMessages().compactMap { mappings.moduleName(forFile: $0.file) }
        return Set(modules).subtracting([namer.targetModule]).sorted()
    }

    /// The file after its imports, each file once, as a serialized FileDescriptorSet without comments
    /// and source positions.
    private func serializedDescriptors() -> [UInt8] {
        var set = Google_Protobuf_FileDescriptorSet()
        var added: Set<String> = []
        func add(_ file: FileDescriptor) {
            guard added.insert(file.name).inserted else { return }
            for imported in file.dependencies { add(imported) }
            set.file.append(file.extractProto())
        }
        add(file)
        // Cannot fail: protoc sent these descriptors in the same encoding.
        return (try? set.serializedBytes()) ?? []
    }
}

/// Extracts comments of a .proto file as lines of text.
enum CommentLines {
    /// Returns the comment before the declaration of `descriptor`, or the one after it if there is
    /// none before.
    static func of(_ descriptor: some ProvidesSourceCodeLocation) -> [String] {
        cleaned(descriptor.protoSourceComments(commentPrefix: ""))
    }

    /// Removes the space after `//`, the second star of `/**`, spaces at the ends of lines, and
    /// empty lines at both ends.
    static func cleaned(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(
            Substring.init)
        if lines.first?.hasPrefix("*") == true { lines[0] = lines[0].dropFirst() }
        let trimmed = lines.map { line in
            let line = line.hasPrefix(" ") ? line.dropFirst() : line
            let end = line.lastIndex { !$0.isWhitespace }
            return end.map { String(line[...$0]) } ?? ""
        }
        let tail = trimmed.drop(while: \.isEmpty)
        guard let last = tail.lastIndex(where: { !$0.isEmpty }) else { return [] }
        return Array(tail[...last])
    }
}
