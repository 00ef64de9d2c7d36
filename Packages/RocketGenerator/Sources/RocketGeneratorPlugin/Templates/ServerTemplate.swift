/// The protocol that a service's implementation conforms to.
struct ServerTemplate {
    let service: ServiceModel
    let level: AccessLevel
    let names: RuntimeNames
    var hasDescriptors = false

    /// The protocol, and what an implementation has for nothing.
    var lines: Lines { .joined([declaration, conveniences]) }

    /// The protocol with one requirement for each method.
    var declaration: Lines {
        let comment = DocComment.lines(
            service.comment, or: "Serves `\(service.fullName)`: one function for each method.",
            isDeprecated: service.isDeprecated)
        let head =
            "\(level.modifier)nonisolated protocol \(service.protocolName): \(names.service) {"
        return comment + [head] + Lines.joined(service.methods.map(requirement)).indented + ["}"]
    }

    /// One method's requirement. It says itself where it runs, so that it means the same in
    /// modules with other defaults than ours.
    func requirement(_ method: MethodModel) -> Lines {
        let comment = DocComment.lines(
            method.comment, or: "Answers `\(service.fullName).\(method.name)`.",
            isDeprecated: method.isDeprecated)
        return comment
            + Layout.list(
                "nonisolated(nonsending) func \(method.swiftName)",
                ["_ request: \(method.request)", "_ call: \(names.controller)"],
                " async throws -> \(method.response)", depth: 1, closingOnOwnLine: true)
    }

    /// The service's name, and its entry into a server's table.
    var conveniences: Lines {
        ["extension \(service.protocolName) {"]
            + Lines.joined([serviceName, descriptors, register]).indented + ["}"]
    }

    private var serviceName: Lines {
        [
            "/// The name on the wire: `\(service.fullName)`.",
            "\(level.modifier)static var serviceName: String { \"\(service.fullName)\" }",
        ]
    }

    private var descriptors: Lines {
        guard hasDescriptors else { return [] }
        let type = names.descriptors
        return [
            "/// The .proto files that describe the service.",
            "\(level.modifier)static var fileDescriptors: \(type) { \(DescriptorsTemplate.constant) }",
        ]
    }

    private var register: Lines {
        let head = "\(level.modifier)func register(in registry: inout \(names.registry)) throws {"
        return ["/// Adds every method to a server's table."]
            + [head] + service.methods.flatMap(registration).indented + ["}"]
    }

    /// One method's entry.
    func registration(_ method: MethodModel) -> Lines {
        let call = Layout.list(
            "try await self.\(method.swiftName)", ["request", "call"], depth: 3,
            closingOnOwnLine: false)
        return Layout.list(
            "try registry.add", ["\(service.methodsName).\(method.swiftName)"],
            " { request, call in", depth: 2, closingOnOwnLine: true) + call.indented + ["}"]
    }
}
