/// Writes the protocol that implementations of a service conform to.
struct ServerTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames
    var hasDescriptors = false

    /// The protocol and its default implementations.
    var lines: Lines { .joined([declaration, defaults]) }

    /// A protocol with one requirement for each method.
    var declaration: Lines {
        let comment = DocComment.lines(
            service.comment, or: "Implements `\(service.fullName)`: one function per method.",
            isDeprecated: service.isDeprecated)
        let head =
            "\(level.modifier)nonisolated protocol \(service.protocolName): \(names.service) {"
        return comment + [head] + Lines.joined(service.methods.map(requirement)).indented + ["}"]
    }

    /// Returns the requirement of one method. Its isolation is explicit, so that it does not depend
    /// on the default of the module.
    func requirement(_ method: MethodModel) -> Lines {
        let comment = DocComment.lines(
            method.comment, or: "Handles `\(service.fullName).\(method.name)`.",
            isDeprecated: method.isDeprecated)
        let signature = HandlerSignature(method, names)
        return comment
            + Layout.list(
                "nonisolated(nonsending) func \(method.swiftName)", signature.parameters,
                " async throws\(signature.result)", depth: 1, closingOnOwnLine: true)
    }

    /// The service's name and descriptors, and its registration.
    var defaults: Lines {
        ["extension \(service.protocolName) {"]
            + Lines.joined([serviceName, descriptors, register]).indented + ["}"]
    }

    private var serviceName: Lines {
        [
            "/// Name on the wire: `\(service.fullName)`.",
            "\(level.modifier)static var serviceName: String { \"\(service.fullName)\" }",
        ]
    }

    private var descriptors: Lines {
        guard hasDescriptors else { return [] }
        let type = names.descriptors
        return [
            "/// Descriptors of the service's .proto files.",
            "\(level.modifier)static var fileDescriptors: \(type) { \(DescriptorsTemplate.constant) }",
        ]
    }

    private var register: Lines {
        ["/// Adds all methods to a server's table."] + registerHead
            + service.methods.flatMap(registration).indented + ["}"]
    }

    /// The first lines of `register`. Inlinable, so that it is specialised for each implementation
    /// in the module of the latter: a call of an asynchronous handler by the protocol costs a
    /// change of executor and two frames on the task's stack, a direct one neither.
    var registerHead: Lines {
        (level == .public ? ["@inlinable"] : [])
            + ["\(level.modifier)func register(in registry: inout \(names.registry)) throws {"]
    }

    /// Returns the statement that adds one method. The handler of a unary one is written twice:
    /// interceptors wrap the first closure; without any, the second one serves the call.
    func registration(_ method: MethodModel) -> Lines {
        guard method.kind == .unary else { return streamRegistration(method) }
        let name = "\(service.methodsName).\(method.swiftName)"
        let handler = Layout.list(
            "try await self.\(method.swiftName)", ["request", "call"], depth: 3,
            closingOnOwnLine: false)
        let nested = Layout.list(
            "try await self.\(method.swiftName)", ["request", "call"], depth: 4,
            closingOnOwnLine: false)
        return Layout.list(
            "try registry._add", [name], " { request, call in", depth: 2, closingOnOwnLine: true)
            + handler.indented + ["} serve: { context, entry in"]
            + (Layout.list(
                "await context._serve", ["entry", name], " { request, call in", depth: 3,
                closingOnOwnLine: true) + nested.indented + ["}"]).indented + ["}"]
    }

    /// Returns the statement that adds a method with streams. The handler is written once: a stream
    /// begins and ends far less often than its messages are sent.
    func streamRegistration(_ method: MethodModel) -> Lines {
        let label = method.kind == .bidirectionalStreaming ? "bidirectional" : method.kind.rawValue
        let arguments = HandlerSignature(method, names).arguments
        let name = "\(service.methodsName).\(method.swiftName)"
        let head = Layout.list(
            "try registry.add", ["\(label): \(name)"],
            " { \(arguments.joined(separator: ", ")) in", depth: 2, closingOnOwnLine: true)
        let handler = Layout.list(
            "try await self.\(method.swiftName)", arguments, depth: 3, closingOnOwnLine: false)
        return head + handler.indented + ["}"]
    }
}
